#include "recurrence.h"

#include <stdlib.h>

#include "array.h"

#define LOG2_E 1.44269504088896341f

/* exp(-x) is 2 to the power of -log2(e) * x, and tanh needs exp(-2 * x): the gates are scaled so when they are packed. */
#define FOR_SIGMOID (-LOG2_E)
#define FOR_TANH (-2 * LOG2_E)

static const struct {
    size_t gates;    /* in torch's layout */
    size_t slots;    /* the candidate of a GRU has one for each of its two parts */
    float scales[4]; /* by slot */
} cells[] = {
    [OKT_LSTM] = {4, 4, {FOR_SIGMOID, FOR_SIGMOID, FOR_TANH, FOR_SIGMOID}},
    [OKT_GRU] = {3, 4, {FOR_SIGMOID, FOR_SIGMOID, FOR_TANH, FOR_TANH}},
    [OKT_RNN_TANH] = {1, 1, {FOR_TANH}},
    [OKT_RNN_RELU] = {1, 1, {1}},
};

size_t okt_gate_width(okt_cell cell, size_t hidden, const okt_kernels *kernels) {
    return cells[cell].slots * okt_round_up(hidden, kernels->panel);
}

/* What is packed: the weights of the gates from row `first_k` of [input | state] and column `first_column` on. */
typedef struct {
    const okt_torch_weights *weights;
    size_t inputs, hidden, units, first_k, first_column;
    okt_cell cell;
} gate_weights;

static float weight_of(const void *gates, size_t k, size_t column) {
    const gate_weights *from = gates;
    k += from->first_k;
    column += from->first_column;
    size_t slot = column / from->units, unit = column % from->units, hidden = from->hidden, inputs = from->inputs;
    bool of_input = k < inputs;
    if (unit >= hidden || (from->cell == OKT_GRU && slot == (of_input ? 3 : 2))) return 0;
    size_t gate = slot < cells[from->cell].gates ? slot : slot - 1, row = gate * hidden + unit;
    float weight = of_input ? from->weights->input[row * inputs + k] : from->weights->state[row * hidden + k - inputs];
    return weight * cells[from->cell].scales[slot];
}

static bool set_bias(okt_recurrence *recurrence, okt_cell cell, const okt_torch_weights *weights) {
    size_t hidden = recurrence->hidden, units = recurrence->units;
    float *bias = recurrence->bias = calloc(recurrence->width, sizeof *bias);
    if (!bias) return false;
    for (size_t gate = 0; gate < cells[cell].gates; gate++)
        for (size_t u = 0; u < hidden; u++) {
            float input = weights->input_bias[gate * hidden + u], state = weights->state_bias[gate * hidden + u];
            float scale = cells[cell].scales[gate];
            bool apart = cell == OKT_GRU && gate == 2;
            bias[gate * units + u] = (apart ? input : input + state) * scale;
            if (apart) bias[3 * units + u] = state * scale;
        }
    return true;
}

bool okt_recurrence_set(okt_recurrence *recurrence, okt_cell cell, const okt_kernels *kernels, size_t inputs,
                        size_t hidden, bool folded, const okt_torch_weights *weights) {
    okt_activation *const activations[] = {kernels->lstm, kernels->gru, kernels->rnn_tanh, kernels->rnn_relu};
    size_t units = okt_round_up(hidden, kernels->panel), width = okt_gate_width(cell, hidden, kernels);
    *recurrence = (okt_recurrence){kernels, activations[cell], hidden, units, width};
    if (!set_bias(recurrence, cell, weights)) return false;

    gate_weights from = {weights, inputs, hidden, units, 0, 0, cell};
    if (folded && !okt_pack(&recurrence->fold, kernels->panel, inputs, width, weight_of, &from)) return false;
    const okt_product fused[] = {{{0, width}, 0, true, true}};
    const okt_product gru[] = {
        {{0, 2 * units}, 0, true, true}, {{0, units}, 2 * units, true, false}, {{0, units}, 3 * units, false, true}};
    const okt_product *products = cell == OKT_GRU ? gru : fused;
    for (size_t p = 0; p < (cell == OKT_GRU ? OKT_COUNT(gru) : OKT_COUNT(fused)); p++) {
        okt_product *product = &recurrence->products[recurrence->product_count++];
        *product = products[p];
        size_t read = product->reads_input && !folded ? inputs : 0, depth = read + (product->reads_state ? hidden : 0);
        from.first_k = read ? 0 : inputs;
        from.first_column = product->first;
        if (!okt_pack(&product->weights, kernels->panel, depth, product->weights.columns, weight_of, &from))
            return false;
    }
    return true;
}

void okt_recurrence_free(okt_recurrence *recurrence) {
    for (size_t p = 0; p < recurrence->product_count; p++) okt_packed_free(&recurrence->products[p].weights);
    okt_packed_free(&recurrence->fold);
    free(recurrence->bias);
}

void okt_recurrence_fold(const okt_recurrence *recurrence, size_t count, const okt_piece *in, float *gates) {
    const float *starts[OKT_MOST_ROWS];
    for (size_t i = 0; i < count; i++) starts[i] = recurrence->bias;
    recurrence->kernels->multiply(&recurrence->fold, count, 1, in, starts, 0, gates, recurrence->width);
}

void okt_recurrence_step(const okt_recurrence *recurrence, const okt_step *step, float *gates) {
    for (size_t p = 0; p < recurrence->product_count; p++) {
        const okt_product *product = &recurrence->products[p];
        size_t inputs = product->reads_input ? step->inputs : 0, states = product->reads_state && !step->is_first;
        recurrence->kernels->multiply(&product->weights, step->count, inputs + states,
                                      step->pieces + (product->reads_input ? 0 : step->inputs), step->starts,
                                      product->first, gates + product->first, recurrence->width);
    }
    for (size_t i = 0; i < step->count; i++)
        recurrence->activation(recurrence->units, gates + i * recurrence->width, step->memory[i],
                               step->pieces[step->inputs].rows[i], step->after[i]);
}
