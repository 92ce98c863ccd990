/* The recurrent network: embedding, layers, pooling and classifier.
 *
 * A layer's gates are a product of [what it reads | its own state] with one packed matrix. In the first layer, what it
 * reads is a token's embedding, so the product of that part, with the biases, depends on the token alone: it is kept in
 * a table, by token, and only the state's part is left to multiply.
 *
 * Texts are sorted by falling length, so those that still have tokens at a step are the first ones of their batch, and
 * nothing is padded. Numbers of units are rounded up to whole panels of the kernels; what is added has zero weights, and
 * so a state of zero.
 */
#include "network.h"

#include <float.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_BLOCKS = 8,    /* a batch is at most this many times the rows of `multiply` */
    BATCH_TOKENS = 4096, /* or so many tokens, unless one text has more */
    MOST_PRODUCTS = 3
};

/* gates[first : first + columns] = start + in[offset : offset + depth] · weights */
typedef struct {
    size_t offset, depth, first, columns;
    void *memory;
    const float *weights; /* packed, in `memory` */
} product;

typedef struct {
    product products[MOST_PRODUCTS];
    size_t product_count;
    product fold; /* of the first layer, if it is folded: from an embedding to a row of the table */
    float *bias;  /* (slots * units) */
} direction;

/* Table rows are empty, being written by one thread, or ready for all. */
enum { EMPTY, BEING_MADE, READY };

struct okt_network {
    okt_shape shape;
    const okt_kernels *kernels;
    okt_activation *activation;
    size_t units; /* hidden, rounded up to whole panels */
    size_t slots; /* a GRU's candidate has one for each of its two parts */
    direction *directions; /* (layers, directions) */
    product head;
    float *head_bias;
    void *table_memory;
    float *table;            /* (tokens, directions, slots * units), if the first layer is folded */
    _Atomic uint8_t *states; /* (tokens) */
};

static size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

/* Vectors that begin on a cache line are read twice as fast as those that cross one. */
enum { LINE = 64, LINE_FLOATS = LINE / sizeof(float) };

static float *aligned(void *memory) { return (float *)round_up((uintptr_t)memory, LINE); }

static bool is_folded(const okt_network *network, size_t layer) { return layer == 0 && network->shape.folded; }

static size_t slots_of(okt_cell cell) { return cell == OKT_LSTM || cell == OKT_GRU ? 4 : 1; }

static size_t gates_of(okt_cell cell) { return cell == OKT_LSTM ? 4 : cell == OKT_GRU ? 3 : 1; }

size_t okt_input_size(const okt_shape *shape, size_t layer) {
    if (layer == 0) return shape->embedding.columns;
    return shape->separate ? shape->hidden : shape->hidden * shape->directions;
}

size_t okt_pooled_size(const okt_shape *shape) {
    return shape->hidden * shape->directions * ((size_t)shape->max + shape->mean + shape->last);
}

static size_t gate_width(const okt_network *network) { return network->slots * network->units; }

size_t okt_table_bytes(const okt_shape *shape, const okt_kernels *kernels) {
    size_t width = slots_of(shape->cell) * round_up(shape->hidden, kernels->panel) * shape->directions;
    return shape->embedding.rows * width * sizeof(float);
}

/* ---- building ---- */

okt_network *okt_network_new(const okt_shape *shape, const okt_kernels *kernels) {
    okt_network *network = calloc(1, sizeof *network);
    if (!network) return NULL;
    okt_activation *const activations[] = {kernels->lstm, kernels->gru, kernels->rnn_tanh, kernels->rnn_relu};
    network->shape = *shape;
    network->kernels = kernels;
    network->activation = activations[shape->cell];
    network->units = round_up(shape->hidden, kernels->panel);
    network->slots = slots_of(shape->cell);
    network->directions = calloc(shape->layers * shape->directions, sizeof *network->directions);
    bool complete = network->directions != NULL;
    if (shape->folded) { /* calloc leaves the pages of large blocks untouched, so unseen tokens take no memory */
        network->table_memory = calloc(1, okt_table_bytes(shape, kernels) + LINE);
        network->table = aligned(network->table_memory);
        network->states = calloc(shape->embedding.rows, sizeof *network->states);
        complete = complete && network->table_memory && network->states;
    }
    if (complete) return network;
    okt_network_free(network);
    return NULL;
}

void okt_network_free(okt_network *network) {
    if (!network) return;
    for (size_t i = 0; network->directions && i < network->shape.layers * network->shape.directions; i++) {
        direction *freed = &network->directions[i];
        for (size_t p = 0; p < freed->product_count; p++) free(freed->products[p].memory);
        free(freed->fold.memory);
        free(freed->bias);
    }
    free(network->directions);
    free(network->head.memory);
    free(network->head_bias);
    free(network->table_memory);
    free((void *)network->states);
    free(network);
}

/* Where the weights of a layer come from, in torch's layout. */
typedef struct {
    const float *input, *state;
    size_t inputs, hidden, gates, units;
} torch_weights;

static float weight_of(const torch_weights *from, size_t k, size_t column) {
    size_t slot = column / from->units, unit = column % from->units;
    if (unit >= from->hidden) return 0;
    size_t gate = slot < from->gates ? slot : from->gates - 1; /* the GRU's candidate, the state's part */
    size_t row = gate * from->hidden + unit;
    if (k < from->inputs) return from->input[row * from->inputs + k];
    return from->state[row * from->hidden + k - from->inputs];
}

/* Packs weights panel by panel, so that `multiply` reads them in order. */
static bool pack(product *packed, size_t panel, const torch_weights *from, size_t k_first) {
    packed->memory = malloc(packed->depth * packed->columns * sizeof(float) + LINE);
    if (!packed->memory) return false;
    float *to = aligned(packed->memory);
    packed->weights = to;
    for (size_t c = 0; c < packed->columns; c += panel)
        for (size_t k = 0; k < packed->depth; k++)
            for (size_t i = 0; i < panel; i++) *to++ = weight_of(from, k_first + k, packed->first + c + i);
    return true;
}

static bool add_product(okt_network *network, direction *to, const torch_weights *from, product added, size_t k_first) {
    if (!pack(&added, network->kernels->panel, from, k_first)) return false;
    to->products[to->product_count++] = added;
    return true;
}

bool okt_network_set_layer(okt_network *network, size_t layer, size_t direction_number, const float *input_weights,
                           const float *state_weights, const float *input_bias, const float *state_bias) {
    const okt_shape *shape = &network->shape;
    direction *to = &network->directions[layer * shape->directions + direction_number];
    size_t inputs = okt_input_size(shape, layer), hidden = shape->hidden, units = network->units;
    size_t gates = gates_of(shape->cell), width = gate_width(network);
    torch_weights from = {input_weights, state_weights, inputs, hidden, gates, units};

    if (!(to->bias = calloc(width, sizeof *to->bias))) return false;
    for (size_t gate = 0; gate < gates; gate++)
        for (size_t u = 0; u < hidden; u++) {
            float input = input_bias[gate * hidden + u], state = state_bias[gate * hidden + u];
            bool apart = shape->cell == OKT_GRU && gate == 2;
            to->bias[gate * units + u] = apart ? input : input + state;
            if (apart) to->bias[3 * units + u] = state;
        }

    size_t read = is_folded(network, layer) ? 0 : inputs; /* how much of [input | state] is the input */
    size_t skipped = inputs - read;
    if (is_folded(network, layer)) {
        to->fold = (product){0, inputs, 0, gates * units};
        if (!pack(&to->fold, network->kernels->panel, &from, 0)) return false;
    }
    if (shape->cell != OKT_GRU) return add_product(network, to, &from, (product){0, read + hidden, 0, width}, skipped);
    return add_product(network, to, &from, (product){0, read + hidden, 0, 2 * units}, skipped) &&
           add_product(network, to, &from, (product){0, read, 2 * units, units}, 0) &&
           add_product(network, to, &from, (product){read, hidden, 3 * units, units}, inputs);
}

bool okt_network_set_head(okt_network *network, const float *weights, const float *bias) {
    size_t labels = network->shape.labels, panel = network->kernels->panel;
    size_t columns = round_up(labels, panel), depth = okt_pooled_size(&network->shape);
    torch_weights from = {weights, NULL, depth, labels, 1, columns};
    network->head = (product){0, depth, 0, columns};
    network->head_bias = calloc(columns, sizeof *network->head_bias);
    if (!network->head_bias || !pack(&network->head, panel, &from, 0)) return false;
    memcpy(network->head_bias, bias, labels * sizeof *bias);
    return true;
}

/* ---- running ---- */

typedef struct {
    size_t length;
    const int32_t *ids;
    size_t number; /* which text of the call it is */
} text_row;

typedef struct spare_row spare_row;
struct spare_row {
    spare_row *next;
    float values[];
};

/* What a call needs for one batch at a time. Arrays by row have `most_rows` rows, arrays by token `most_tokens`. */
typedef struct {
    const okt_network *network;
    size_t most_rows, most_tokens, width; /* width: gates * units of one direction */
    const text_row *rows;                 /* of the batch, by falling length */
    size_t row_count, longest;
    size_t *offsets;      /* by row: where its tokens begin in the arrays by token */
    const float **starts; /* by token: its row of the table */
    float *read, *written; /* (directions, tokens, units): states of the layer before, and of this one */
    float *inputs;         /* by row: [input | state] of a layer */
    size_t input_stride;
    float *memory;                 /* by row: units */
    float *sums, *maxima, *finals; /* by row: (directions, units) */
    float *block;                  /* (OKT_MOST_ROWS, block_width): gates, or what the head multiplies */
    float *second_block;           /* the same: embeddings, or logits */
    size_t block_width;
    spare_row *spares; /* rows of the table that another thread is writing, too */
} batch;

static void multiply(const okt_network *network, const product *by, size_t rows, const float *in, size_t in_stride,
                     const float *const *start, size_t start_offset, float *out, size_t out_stride) {
    network->kernels->multiply(rows, by->depth, by->columns, in + by->offset, in_stride, by->weights, start,
                               start_offset + by->first, out + by->first, out_stride);
}

/* Computes the table's rows of some tokens. */
static void fold_tokens(batch *batch, const int32_t *tokens, float *const *to, size_t count) {
    const okt_network *network = batch->network;
    size_t stride = batch->block_width;
    for (size_t i = 0; i < count; i++)
        okt_matrix_row(&network->shape.embedding, (size_t)tokens[i], batch->second_block + i * stride);
    for (size_t d = 0; d < network->shape.directions; d++) {
        const direction *by = &network->directions[d];
        const float *bias[OKT_MOST_ROWS];
        for (size_t i = 0; i < count; i++) bias[i] = by->bias;
        multiply(network, &by->fold, count, batch->second_block, stride, bias, 0, batch->block, stride);
        size_t made = by->fold.columns;
        for (size_t i = 0; i < count; i++) {
            float *row = to[i] + d * batch->width;
            memcpy(row, batch->block + i * stride, made * sizeof(float));
            memcpy(row + made, by->bias + made, (batch->width - made) * sizeof(float));
        }
    }
}

/* Rows of the table that are to be made, some at a time. */
typedef struct {
    size_t count;
    int32_t tokens[OKT_MOST_ROWS];
    float *to[OKT_MOST_ROWS];
    bool in_table[OKT_MOST_ROWS];
} pending_rows;

static void make_pending(batch *batch, pending_rows *pending) {
    fold_tokens(batch, pending->tokens, pending->to, pending->count);
    for (size_t i = 0; i < pending->count; i++)
        if (pending->in_table[i])
            atomic_store_explicit(&batch->network->states[pending->tokens[i]], READY, memory_order_release);
    pending->count = 0;
}

/* Where a token's row of the table is, or will be after make_pending. NULL: no memory. */
static const float *table_row(batch *batch, int32_t token, pending_rows *pending) {
    const okt_network *network = batch->network;
    size_t row_width = batch->width * network->shape.directions;
    float *row = network->table + (size_t)token * row_width;
    _Atomic uint8_t *state = &network->states[token];
    if (atomic_load_explicit(state, memory_order_acquire) == READY) return row;
    uint8_t empty = EMPTY;
    bool in_table = atomic_compare_exchange_strong(state, &empty, BEING_MADE);
    if (!in_table) { /* Not waited for: the other thread may be one that a fork has left behind. */
        spare_row *spare = malloc(sizeof *spare + row_width * sizeof(float));
        if (!spare) return NULL;
        spare->next = batch->spares;
        batch->spares = spare;
        row = spare->values;
    }
    size_t i = pending->count++;
    pending->tokens[i] = token;
    pending->to[i] = row;
    pending->in_table[i] = in_table;
    if (pending->count == network->kernels->rows) make_pending(batch, pending);
    return row;
}

static void free_spares(batch *batch) {
    while (batch->spares) {
        spare_row *spare = batch->spares;
        batch->spares = spare->next;
        free(spare);
    }
}

static bool find_table_rows(batch *batch) {
    pending_rows pending = {0};
    bool complete = true;
    for (size_t r = 0; r < batch->row_count && complete; r++)
        for (size_t t = 0; t < batch->rows[r].length && complete; t++) {
            const float *row = table_row(batch, batch->rows[r].ids[t], &pending);
            batch->starts[batch->offsets[r] + t] = row;
            complete = row != NULL;
        }
    if (pending.count) make_pending(batch, &pending);
    return complete;
}

/* Copies what a layer reads of one token, without its own state. */
static void read_input(const batch *batch, size_t layer, size_t d, size_t row, size_t position, float *to) {
    const okt_shape *shape = &batch->network->shape;
    size_t units = batch->network->units, token = batch->offsets[row] + position;
    if (layer == 0) {
        okt_matrix_row(&shape->embedding, (size_t)batch->rows[row].ids[position], to);
        return;
    }
    for (size_t from = 0; from < shape->directions; from++)
        if (!shape->separate || from == d) {
            memcpy(to, batch->read + (from * batch->most_tokens + token) * units, shape->hidden * sizeof(float));
            to += shape->hidden;
        }
}

/* One step of a direction for the rows first, first + 1, ...; `step` counts from the end where a direction begins. */
static void step_rows(batch *batch, size_t layer, size_t d, size_t step, size_t first, size_t count) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    const direction *by = &network->directions[layer * shape->directions + d];
    bool folded = is_folded(network, layer), is_last_layer = layer + 1 == shape->layers;
    size_t units = network->units, inputs = folded ? 0 : okt_input_size(shape, layer), stride = batch->input_stride;
    float *in = batch->inputs + first * stride;
    const float *start[OKT_MOST_ROWS];
    size_t tokens[OKT_MOST_ROWS];
    for (size_t i = 0; i < count; i++) {
        size_t row = first + i, length = batch->rows[row].length, position = d ? length - 1 - step : step;
        tokens[i] = batch->offsets[row] + position;
        start[i] = folded ? batch->starts[tokens[i]] + d * batch->width : by->bias;
        if (!folded) read_input(batch, layer, d, row, position, in + i * stride);
    }
    for (size_t p = 0; p < by->product_count; p++)
        multiply(network, &by->products[p], count, in, stride, start, 0, batch->block, batch->block_width);
    for (size_t i = 0; i < count; i++) {
        float *hidden = in + i * stride + inputs;
        size_t at = (first + i) * shape->directions + d;
        network->activation(units, batch->block + i * batch->block_width, batch->memory + (first + i) * units, hidden);
        if (!is_last_layer)
            memcpy(batch->written + (d * batch->most_tokens + tokens[i]) * units, hidden, units * sizeof(float));
        else if (shape->max || shape->mean)
            network->kernels->pool(units, hidden, batch->sums + at * units, batch->maxima + at * units);
        if (is_last_layer && step + 1 == batch->rows[first + i].length)
            memcpy(batch->finals + at * units, hidden, units * sizeof(float));
    }
}

static void run_direction(batch *batch, size_t layer, size_t d) {
    size_t most = batch->network->kernels->rows, alive = batch->row_count;
    memset(batch->inputs, 0, batch->row_count * batch->input_stride * sizeof(float));
    memset(batch->memory, 0, batch->row_count * batch->network->units * sizeof(float));
    for (size_t step = 0; step < batch->longest; step++) {
        while (batch->rows[alive - 1].length <= step) alive--;
        for (size_t first = 0; first < alive; first += most)
            step_rows(batch, layer, d, step, first, alive - first < most ? alive - first : most);
    }
}

/* Writes a row's pooled vector: parts, in each the directions, of each the units without those that were added. */
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
    size_t labels = network->shape.labels, stride = batch->block_width;
    const float *bias[OKT_MOST_ROWS];
    for (size_t i = 0; i < count; i++) {
        bias[i] = network->head_bias;
        pool_row(batch, first + i, batch->block + i * stride);
    }
    multiply(network, &network->head, count, batch->block, stride, bias, 0, batch->second_block, stride);
    for (size_t i = 0; i < count; i++)
        memcpy(logits + batch->rows[first + i].number * labels, batch->second_block + i * stride,
               labels * sizeof *logits);
}

static bool run_batch(batch *batch, float *logits) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    size_t most = network->kernels->rows, tokens = 0, pooled = shape->directions * network->units;
    for (size_t r = 0; r < batch->row_count; tokens += batch->rows[r++].length) batch->offsets[r] = tokens;
    batch->longest = batch->rows[0].length;
    if (shape->folded && !find_table_rows(batch)) return false;
    memset(batch->sums, 0, batch->row_count * pooled * sizeof(float));
    for (size_t i = 0; i < batch->row_count * pooled; i++) batch->maxima[i] = -FLT_MAX;
    for (size_t layer = 0; layer < shape->layers; layer++) {
        for (size_t d = 0; d < shape->directions; d++) run_direction(batch, layer, d);
        float *read = batch->read;
        batch->read = batch->written;
        batch->written = read;
    }
    for (size_t first = 0; first < batch->row_count; first += most)
        classify_rows(batch, first, batch->row_count - first < most ? batch->row_count - first : most, logits);
    free_spares(batch);
    return true;
}

static int compare_rows(const void *a, const void *b) {
    const text_row *first = a, *second = b;
    if (first->length != second->length) return first->length < second->length ? 1 : -1;
    return first->number < second->number ? -1 : first->number > second->number;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* Takes all memory of a batch at once: `memory_of` says where each array begins. NULL: no memory. */
static void *take_memory(batch *batch) {
    const okt_network *network = batch->network;
    const okt_shape *shape = &network->shape;
    size_t rows = batch->most_rows, tokens = batch->most_tokens, units = network->units, pooled = shape->directions * units;
    size_t inputs = larger(shape->folded ? 0 : okt_input_size(shape, 0), shape->layers > 1 ? okt_input_size(shape, 1) : 0);
    batch->input_stride = round_up(inputs, LINE_FLOATS) + units;
    batch->block_width = round_up(larger(larger(batch->width, shape->embedding.columns),
                                         larger(okt_pooled_size(shape), network->head.columns)), LINE_FLOATS);
    size_t by_token = shape->layers > 1 ? tokens * pooled : 0;
    struct {
        float **array;
        size_t count;
    } const arrays[] = {
        {&batch->written, by_token},
        {&batch->read, shape->layers > 2 ? by_token : 0},
        {&batch->inputs, rows * batch->input_stride},
        {&batch->memory, rows * units},
        {&batch->sums, rows * pooled},
        {&batch->maxima, rows * pooled},
        {&batch->finals, rows * pooled},
        {&batch->block, OKT_MOST_ROWS * batch->block_width},
        {&batch->second_block, OKT_MOST_ROWS * batch->block_width},
    };
    size_t bytes = tokens * sizeof *batch->starts + rows * sizeof *batch->offsets, floats = 0;
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        floats += round_up(arrays[i].count, LINE_FLOATS);
    char *memory = malloc(bytes + floats * sizeof(float) + LINE);
    if (!memory) return NULL;
    batch->starts = (const float **)memory;
    batch->offsets = (size_t *)(batch->starts + tokens);
    float *next = aligned(batch->offsets + rows);
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; next += round_up(arrays[i++].count, LINE_FLOATS))
        *arrays[i].array = next;
    return memory;
}

bool okt_network_run(const okt_network *network, const int32_t *ids, const int64_t *row_splits, size_t count,
                     float *logits) {
    if (count == 0) return true;
    text_row *rows = malloc(count * sizeof *rows);
    if (!rows) return false;
    for (size_t i = 0; i < count; i++)
        rows[i] = (text_row){(size_t)(row_splits[i + 1] - row_splits[i]), ids + row_splits[i], i};
    qsort(rows, count, sizeof *rows, compare_rows);
    batch batch = {
        .network = network,
        .most_rows = BATCH_BLOCKS * network->kernels->rows,
        .most_tokens = larger(BATCH_TOKENS, rows[0].length),
        .width = gate_width(network),
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
    free_spares(&batch);
    free(memory);
    free(rows);
    return complete;
}
