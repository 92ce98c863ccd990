/* Weights packed for the kernels: panel by panel, so that `multiply` reads them in order. */
#ifndef OKT_PACKED_H
#define OKT_PACKED_H

#include <stdbool.h>
#include <stddef.h>

/* A matrix (depth, columns), cut into panels of some columns each. All zeros is one of no columns. */
typedef struct {
    size_t depth, columns;
    const float *panels; /* (columns / panel, depth, panel), in `memory` */
    void *memory;
} okt_packed;

/* Returns weights[k][column] of what is to be packed. */
typedef float okt_weight(const void *from, size_t k, size_t column);

/* Packs a matrix; `columns` must be a multiple of `panel`. False: out of memory. */
bool okt_pack(okt_packed *packed, size_t panel, size_t depth, size_t columns, okt_weight *weight, const void *from);

void okt_packed_free(okt_packed *packed);

size_t okt_round_up(size_t n, size_t to);

/* Vectors that begin on a cache line are read twice as fast as those that cross one. */
enum { OKT_LINE = 64, OKT_LINE_FLOATS = OKT_LINE / sizeof(float) };

/* The first cache line that begins in `memory`, which needs OKT_LINE bytes more than what is put there. */
float *okt_aligned(void *memory);

#endif
