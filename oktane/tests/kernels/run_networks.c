/* Runs random networks with one set of kernels and prints a line for each: its name and its logits. test_kernels.py
 * compiles it for this processor and for others, and compares what they print. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "network.h"

enum { TOKENS = 40, WIDTH = 12, LABELS = 3, TEXTS = 31 };

static uint64_t state;

/* Between -1 and 1. */
static float draw(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(int32_t)(state >> 32) * 0x1p-31f;
}

static float *floats(size_t count, float scale) {
    float *drawn = malloc(count * sizeof *drawn);
    for (size_t i = 0; i < count; i++) drawn[i] = scale * draw();
    return drawn;
}

/* The embedding as float32, float16 (here of small whole numbers), bfloat16 or int8. */
static okt_matrix embedding(okt_number type) {
    okt_matrix matrix = {.type = type, .rows = TOKENS, .columns = WIDTH};
    float *drawn = floats(TOKENS * WIDTH, 1);
    uint16_t *halves = malloc(TOKENS * WIDTH * sizeof *halves);
    int8_t *bytes = malloc(TOKENS * WIDTH);
    for (size_t i = 0; i < TOKENS * WIDTH; i++) {
        uint32_t bits;
        memcpy(&bits, &drawn[i], sizeof bits);
        /* In float16, the exponents 12 to 15: 0.125 to 2. */
        uint32_t half = (bits >> 16 & 0x8000) | (12 + (bits >> 8 & 3)) << 10 | (bits >> 10 & 1023);
        halves[i] = (uint16_t)(type == OKT_FLOAT16 ? half : bits >> 16);
        bytes[i] = (int8_t)(127 * drawn[i]);
    }
    matrix.data = type == OKT_FLOAT32 ? (void *)drawn : type == OKT_INT8 ? (void *)bytes : (void *)halves;
    matrix.scales = type == OKT_INT8 ? floats(TOKENS, 0.02f) : NULL;
    return matrix;
}

static void run(const okt_kernels *kernels, const okt_shape *shape) {
    static const char *const cells[] = {"lstm", "gru", "rnn_tanh", "rnn_relu"};
    static const char *const numbers[] = {"float32", "float16", "bfloat16", "int8"};
    okt_network *network = okt_network_new(shape, kernels);
    size_t gates = shape->cell == OKT_LSTM ? 4 : shape->cell == OKT_GRU ? 3 : 1, hidden = shape->hidden;
    float scale = 1 / sqrtf((float)hidden); /* states that neither vanish nor explode */
    for (size_t layer = 0; layer < shape->layers; layer++)
        for (size_t d = 0; d < shape->directions; d++) {
            size_t inputs = layer == 0 ? WIDTH : hidden * (shape->separate ? 1 : shape->directions);
            /* One after the other: compilers differ in the order of arguments and initializers. */
            okt_torch_weights weights;
            weights.input = floats(gates * hidden * inputs, scale);
            weights.state = floats(gates * hidden * hidden, scale);
            weights.input_bias = floats(gates * hidden, 0.5f);
            weights.state_bias = floats(gates * hidden, 0.5f);
            okt_network_set_layer(network, layer, d, &weights);
        }
    const float *head = floats(LABELS * okt_pooled_size(shape), 0.3f);
    okt_network_set_head(network, head, floats(LABELS, 1));

    int32_t ids[TEXTS * TEXTS];
    int64_t row_splits[TEXTS + 1] = {0};
    for (size_t text = 0; text < TEXTS; text++) row_splits[text + 1] = row_splits[text] + (int64_t)(text * 7 % TEXTS);
    for (int64_t i = 0; i < row_splits[TEXTS]; i++) ids[i] = (int32_t)((draw() + 1) / 2 * (TOKENS - 1));
    float logits[TEXTS * LABELS];
    okt_network_run(network, ids, row_splits, TEXTS, &(okt_interrupt){0}, logits);
    printf("%s-%s-%zu-layers-%zu%s-directions-%zu-units%s%s%s%s", cells[shape->cell], numbers[shape->embedding.type],
           shape->layers, shape->directions, shape->separate ? "-separate" : "", hidden, shape->max ? "-max" : "",
           shape->mean ? "-mean" : "", shape->last ? "-last" : "", shape->folded ? "-folded" : "");
    for (size_t i = 0; i < OKT_COUNT(logits); i++) printf(" %.9g", (double)logits[i]);
    printf("\n");
    okt_network_free(network);
}

int main(int count, char **arguments) {
    const okt_kernels *kernels = count == 2 ? okt_find_kernels(arguments[1]) : NULL;
    if (!kernels) {
        fprintf(stderr, "give the name of kernels that this processor has\n");
        return 2;
    }
    static const size_t units[] = {1, 20, 33, 64};
    for (okt_cell cell = OKT_LSTM; cell <= OKT_RNN_RELU; cell++)
        for (int pooling = 1; pooling < 8; pooling++)
            for (int directions = 0; directions < 3; directions++) /* one, two, two that are separate */
                for (int folded = 0; folded < 2; folded++) {
                    size_t number = (size_t)(pooling + directions + folded);
                    state++;
                    okt_shape shape = {
                        .cell = cell, .layers = 1 + number % 3, .directions = directions ? 2 : 1,
                        .hidden = units[(number + (size_t)pooling) % OKT_COUNT(units)], .labels = LABELS,
                        .separate = directions == 2, .max = pooling & 1, .mean = pooling >> 1 & 1,
                        .last = pooling >> 2, .folded = folded, .embedding = embedding((okt_number)(number % 4)),
                    };
                    run(kernels, &shape);
                }
    return 0;
}
