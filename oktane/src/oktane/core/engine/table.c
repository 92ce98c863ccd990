#include "table.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Rows are empty, being written by one thread, or ready for all. */
enum { EMPTY, BEING_MADE, READY };

struct okt_table {
    okt_matrix embedding;
    const okt_recurrence *directions;
    size_t direction_count, width;
    float *rows; /* (tokens, directions, width), in `memory` */
    void *memory;
    _Atomic uint8_t *states; /* (tokens) */
};

struct okt_spare_row {
    okt_spare_row *next;
    float values[];
};

size_t okt_table_bytes(size_t tokens, size_t direction_count, size_t width) {
    return tokens * direction_count * width * sizeof(float);
}

okt_table *okt_table_new(const okt_matrix *embedding, const okt_recurrence *directions, size_t direction_count,
                         size_t width) {
    okt_table *table = calloc(1, sizeof *table);
    if (!table) return NULL;
    table->embedding = *embedding;
    table->directions = directions;
    table->direction_count = direction_count;
    table->width = width;
    /* calloc leaves the pages of large blocks untouched, so unseen tokens take no memory. */
    table->memory = calloc(1, okt_table_bytes(embedding->rows, direction_count, width) + OKT_LINE);
    table->rows = okt_aligned(table->memory);
    table->states = calloc(embedding->rows, sizeof *table->states);
    if (table->memory && table->states) return table;
    okt_table_free(table);
    return NULL;
}

void okt_table_free(okt_table *table) {
    if (!table) return;
    free(table->memory);
    free((void *)table->states);
    free(table);
}

void okt_spare_rows_free(okt_spare_row **spares) {
    while (*spares) {
        okt_spare_row *spare = *spares;
        *spares = spare->next;
        free(spare);
    }
}

/* Rows that are to be made, some at a time. */
typedef struct {
    size_t count;
    int32_t tokens[OKT_MOST_ROWS];
    float *rows[OKT_MOST_ROWS];
    bool in_table[OKT_MOST_ROWS];
    float *embeddings, *gates; /* OKT_MOST_ROWS of each, in one block of memory */
} pending_rows;

static void make_rows(okt_table *table, pending_rows *pending) {
    size_t columns = table->embedding.columns, width = table->width;
    okt_piece embeddings = {.depth = columns};
    for (size_t i = 0; i < pending->count; i++)
        embeddings.rows[i] =
            okt_matrix_row(&table->embedding, (size_t)pending->tokens[i], pending->embeddings + i * columns);
    for (size_t d = 0; d < table->direction_count; d++) {
        okt_recurrence_fold(&table->directions[d], pending->count, &embeddings, pending->gates);
        for (size_t i = 0; i < pending->count; i++)
            memcpy(pending->rows[i] + d * width, pending->gates + i * width, width * sizeof(float));
    }
    for (size_t i = 0; i < pending->count; i++)
        if (pending->in_table[i])
            atomic_store_explicit(&table->states[pending->tokens[i]], READY, memory_order_release);
    pending->count = 0;
}

/* Where a token's row will be after make_rows. NULL: out of memory. */
static float *add_row(okt_table *table, int32_t token, pending_rows *pending, okt_spare_row **spares) {
    size_t columns = table->embedding.columns, width = table->width, row_width = table->direction_count * width;
    if (!pending->embeddings) {
        pending->embeddings = malloc(OKT_MOST_ROWS * (columns + width) * sizeof(float));
        if (!pending->embeddings) return NULL;
        pending->gates = pending->embeddings + OKT_MOST_ROWS * columns;
    }
    float *row = table->rows + (size_t)token * row_width;
    uint8_t empty = EMPTY;
    bool in_table = atomic_compare_exchange_strong(&table->states[token], &empty, BEING_MADE);
    if (!in_table) { /* Not waited for: the other thread may be one that a fork has left behind. */
        okt_spare_row *spare = malloc(sizeof *spare + row_width * sizeof(float));
        if (!spare) return NULL;
        spare->next = *spares;
        *spares = spare;
        row = spare->values;
    }
    size_t i = pending->count++;
    pending->tokens[i] = token;
    pending->rows[i] = row;
    pending->in_table[i] = in_table;
    return row;
}

bool okt_table_find(okt_table *table, const int32_t *tokens, size_t count, const float **rows, okt_spare_row **spares) {
    size_t row_width = table->direction_count * table->width;
    pending_rows pending = {0};
    bool complete = true;
    for (size_t i = 0; i < count && complete; i++) {
        rows[i] = table->rows + (size_t)tokens[i] * row_width;
        if (atomic_load_explicit(&table->states[tokens[i]], memory_order_acquire) == READY) continue;
        rows[i] = add_row(table, tokens[i], &pending, spares);
        complete = rows[i] != NULL;
        if (pending.count == table->directions->kernels->rows) make_rows(table, &pending);
    }
    make_rows(table, &pending);
    free(pending.embeddings);
    return complete;
}
