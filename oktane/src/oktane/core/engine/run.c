/* Running a network: texts are sorted by falling length and go through the layers in batches, so those that still have
 * tokens at a step are the first ones of their batch, and nothing is padded. */
#include <float.h>
#include <stdlib.h>
#include <string.h>

#include "array.h"
#include "network.h"

enum {
    BATCH_BLOCKS = 8,   /* a batch is at most this many times the rows of `multiply` */
    BATCH_TOKENS = 4096 /* or so many tokens, unless one text has more */
};

typedef struct {
    size_t length;
    const int32_t *ids;
    size_t number; /* which text of the call it is */
} text_row;

/* What a call needs for one batch at a time. Arrays by row have `most_rows` rows, arrays by token `most_tokens`. */
typedef struct {
    const okt_network *network;
    okt_interrupt *interrupt;
    size_t most_rows, most_tokens;
    const text_row *rows; /* of the batch, by falling length */
    size_t row_count;
    size_t *offsets;         /* by row: its first token in the arrays by token */
    const float **starts;    /* by token: its row of the table */
    okt_spare_row *spares;   /* of the table */
    float *read, *written;   /* by token: (directions, units), the states of the layer before and of this one */
    float *finals;           /* by row: (directions, units), the states of the last layer */
    float *memory;           /* by row: (units) */
    float *sums, *maxima;    /* by row: (directions, units), of the last layer's states */
    float *excesses;         /* of the sums, by rounding */
    float *zeros;            /* (units): the states before a first step */
    float *embeddings;       /* (OKT_MOST_ROWS, embedding's columns) */
    float *gates;            /* (OKT_MOST_ROWS, width) */
    float *pooled, *outputs; /* (OKT_MOST_ROWS, columns of each): what the head reads and writes */
} batch;

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }
static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* ---- layers ---- */

/* Adds what a layer reads of a token, as the pieces of text `i` of a step. */
static void add_inputs(const batch *batch, okt_step *step, size_t i, size_t layer, size_t d, int32_t id, size_t token) {
    const okt_shape *shape = &batch->network->shape;
    size_t units = batch->network->units;
    step->inputs = 0;
    if (layer == 0 && shape->folded) return;
    if (layer == 0) {
        okt_piece *piece = &step->pieces[step->inputs++];
        piece->depth = shape->embedding.columns;
        piece->rows[i] = okt_matrix_row(&shape->embedding, (size_t)id, batch->embeddings + i * piece->depth);
        return;
    }
    for (size_t from = 0; from < shape->directions; from++)
        if (!shape->separate || from == d) {
            okt_piece *piece = &step->pieces[step->inputs++];
            piece->depth = shape->hidden;
            piece->rows[i] = batch->read + (token * shape->directions + from) * units;
        }
}

/* One step of a direction for the texts first, first + 1, ...; `number` counts from the end where a direction begins. */
static void step_rows(batch *batch, size_t layer, size_t d, size_t number, size_t first, size_t count) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    const okt_recurrence *recurrence = &network->recurrences[layer * shape->directions + d];
    size_t units = network->units, stride = shape->directions * units;
    bool is_folded = layer == 0 && shape->folded, is_last_layer = layer + 1 == shape->layers;
    okt_step step = {.count = count, .is_first = number == 0};
    for (size_t i = 0; i < count; i++) {
        const text_row *row = &batch->rows[first + i];
        size_t position = d ? row->length - 1 - number : number, token = batch->offsets[first + i] + position;
        float *after = (is_last_layer ? batch->finals + (first + i) * stride : batch->written + token * stride) + d * units;
        add_inputs(batch, &step, i, layer, d, row->ids[position], token);
        okt_piece *before = &step.pieces[step.inputs];
        before->depth = shape->hidden;
        step.starts[i] = is_folded ? batch->starts[token] + d * recurrence->width : recurrence->bias;
        step.memory[i] = batch->memory + (first + i) * units;
        step.after[i] = after;
        before->rows[i] = number == 0 ? batch->zeros : is_last_layer ? after : d ? after + stride : after - stride;
    }
    okt_recurrence_step(recurrence, &step, batch->gates);
    if (is_last_layer && (shape->max || shape->mean))
        for (size_t i = 0; i < count; i++) {
            size_t at = (first + i) * stride + d * units;
            network->kernels->pool(units, step.after[i], batch->sums + at, batch->excesses + at, batch->maxima + at);
        }
}

static bool run_direction(batch *batch, size_t layer, size_t d) {
    const okt_network *network = batch->network;
    size_t most = network->kernels->rows, alive = batch->row_count;
    /* A microsecond is some 16,000 multiply-adds. */
    size_t steps = 1 + network->recurrences->width * network->shape.hidden / 16384;
    memset(batch->memory, 0, alive * network->units * sizeof(float));
    for (size_t number = 0; number < batch->rows[0].length; number++) {
        while (batch->rows[alive - 1].length <= number) alive--;
        if (!okt_goes_on(batch->interrupt, alive * steps)) return false;
        /* Shares of nearly the same size: a few rows take as long as more. */
        for (size_t first = 0, shares = (alive + most - 1) / most, count; shares; shares--, first += count) {
            count = (alive - first + shares - 1) / shares;
            step_rows(batch, layer, d, number, first, count);
        }
    }
    return true;
}

/* ---- pooling and head ---- */

/* Writes a text's vector: parts, in each the directions, of each the units without those that were added. */
static void pool_row(const batch *batch, size_t row, float *to) {
    const okt_shape *shape = &batch->network->shape;
    size_t units = batch->network->units, length = batch->rows[row].length;
    const float *const parts[] = {batch->maxima, batch->sums, batch->finals};
    const bool wanted[] = {shape->max, shape->mean, shape->last};
    for (size_t part = 0; part < 3; part++)
        for (size_t d = 0; wanted[part] && d < shape->directions; d++, to += shape->hidden) {
            const float *from = parts[part] + (row * shape->directions + d) * units;
            float divisor = part == 1 && length ? (float)length : 1;
            for (size_t u = 0; u < shape->hidden; u++) to[u] = length ? from[u] / divisor : 0;
        }
}

static void classify_rows(batch *batch, size_t first, size_t count, float *logits) {
    const okt_network *network = batch->network;
    size_t labels = network->shape.labels, columns = network->head.columns;
    okt_piece pooled = {.depth = network->head.depth};
    const float *starts[OKT_MOST_ROWS];
    for (size_t i = 0; i < count; i++) {
        float *vector = batch->pooled + i * pooled.depth;
        pool_row(batch, first + i, vector);
        pooled.rows[i] = vector;
        starts[i] = network->head_bias;
    }
    network->kernels->multiply(&network->head, count, 1, &pooled, starts, 0, batch->outputs, columns);
    for (size_t i = 0; i < count; i++)
        memcpy(logits + batch->rows[first + i].number * labels, batch->outputs + i * columns, labels * sizeof *logits);
}

/* ---- batches ---- */

static bool run_batch(batch *batch, float *logits) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    size_t most = network->kernels->rows, tokens = 0, pooled = batch->row_count * shape->directions * network->units;
    for (size_t r = 0; r < batch->row_count; tokens += batch->rows[r++].length) {
        batch->offsets[r] = tokens;
        if (shape->folded && !okt_table_find(network->table, batch->rows[r].ids, batch->rows[r].length,
                                             batch->starts + tokens, &batch->spares))
            return false;
    }
    memset(batch->sums, 0, pooled * sizeof(float));
    memset(batch->excesses, 0, pooled * sizeof(float));
    for (size_t i = 0; i < pooled; i++) batch->maxima[i] = -FLT_MAX;
    for (size_t layer = 0; layer < shape->layers; layer++) {
        for (size_t d = 0; d < shape->directions; d++)
            if (!run_direction(batch, layer, d)) return false;
        float *read = batch->read;
        batch->read = batch->written;
        batch->written = read;
    }
    for (size_t first = 0; first < batch->row_count; first += most)
        classify_rows(batch, first, smaller(batch->row_count - first, most), logits);
    okt_spare_rows_free(&batch->spares);
    return true;
}

/* Takes all memory of a batch at once. NULL: out of memory. */
static void *take_memory(batch *batch) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    size_t rows = batch->most_rows, tokens = batch->most_tokens, states = shape->directions * network->units;
    struct {
        float **array;
        size_t count;
    } const arrays[] = {
        {&batch->written, shape->layers > 1 ? tokens * states : 0},
        {&batch->read, shape->layers > 2 ? tokens * states : 0},
        {&batch->finals, rows * states},
        {&batch->memory, rows * network->units},
        {&batch->sums, rows * states},
        {&batch->excesses, rows * states},
        {&batch->maxima, rows * states},
        {&batch->zeros, network->units},
        {&batch->embeddings, OKT_MOST_ROWS * shape->embedding.columns},
        {&batch->gates, OKT_MOST_ROWS * network->recurrences->width},
        {&batch->pooled, OKT_MOST_ROWS * network->head.depth},
        {&batch->outputs, OKT_MOST_ROWS * network->head.columns},
    };
    size_t bytes = tokens * sizeof *batch->starts + rows * sizeof *batch->offsets, floats = 0;
    for (size_t i = 0; i < OKT_COUNT(arrays); i++) floats += okt_round_up(arrays[i].count, OKT_LINE_FLOATS);
    char *memory = malloc(bytes + floats * sizeof(float) + OKT_LINE);
    if (!memory) return NULL;
    batch->starts = (const float **)memory;
    batch->offsets = (size_t *)(batch->starts + tokens);
    float *next = okt_aligned(batch->offsets + rows);
    for (size_t i = 0; i < OKT_COUNT(arrays); next += okt_round_up(arrays[i++].count, OKT_LINE_FLOATS))
        *arrays[i].array = next;
    memset(batch->zeros, 0, network->units * sizeof(float));
    return memory;
}

static int compare_rows(const void *a, const void *b) {
    const text_row *first = a, *second = b;
    if (first->length != second->length) return first->length < second->length ? 1 : -1;
    return first->number < second->number ? -1 : first->number > second->number;
}

bool okt_network_run(const okt_network *network, const int32_t *ids, const int64_t *row_splits, size_t count,
                     okt_interrupt *interrupt, float *logits) {
    if (count == 0) return true;
    text_row *rows = malloc(count * sizeof *rows);
    if (!rows) return false;
    for (size_t i = 0; i < count; i++)
        rows[i] = (text_row){(size_t)(row_splits[i + 1] - row_splits[i]), ids + row_splits[i], i};
    qsort(rows, count, sizeof *rows, compare_rows);
    batch batch = {
        .network = network,
        .interrupt = interrupt,
        .most_rows = BATCH_BLOCKS * network->kernels->rows,
        .most_tokens = larger(BATCH_TOKENS, rows[0].length),
    };
    void *memory = take_memory(&batch);
    bool complete = memory != NULL;
    for (size_t first = 0; first < count && complete; first += batch.row_count) {
        size_t tokens = rows[first].length;
        batch.rows = rows + first;
        for (batch.row_count = 1; first + batch.row_count < count && batch.row_count < batch.most_rows; batch.row_count++)
            if ((tokens += batch.rows[batch.row_count].length) > batch.most_tokens) break;
        complete = run_batch(&batch, logits);
    }
    okt_spare_rows_free(&batch.spares);
    free(memory);
    free(rows);
    return complete;
}
