/* The arithmetic of the networks, once for each kind of processor.
 *
 * kernels_body.h is the one source. It is compiled by kernels_avx512.c, kernels_avx2.c and kernels_baseline.c, which
 * say how wide a vector is and how to multiply and add. The operations on a row and their order do not depend on the
 * other rows, so a text's result does not depend on its neighbors.
 */
#ifndef OKT_KERNELS_H
#define OKT_KERNELS_H

#include <stddef.h>

#include "packed.h"

/* Vector extensions of GCC and clang; elsewhere a vector is one float. */
#if defined(__GNUC__)
#define OKT_HAS_VECTORS 1
#endif
#if defined(OKT_HAS_VECTORS) && defined(__x86_64__)
#define OKT_HAS_AVX 1
#endif

enum {
    OKT_MOST_ROWS = 12, /* the largest `rows` of any kernels */
    OKT_MOST_PIECES = 3 /* what two directions wrote, and a state */
};

/* Consecutive columns of a factor: those of row r stand at rows[r]. */
typedef struct {
    size_t depth;
    const float *rows[OKT_MOST_ROWS];
} okt_piece;

/* A recurrent cell's activation: reads the gates of one row and its state `before`, writes the one `after`, which may
 * stand in its place. Arrays have `units` floats, a multiple of a vector's lanes; gate g stands at gates[g * units],
 * scaled for powers of 2 (see recurrence.c). `memory` is the LSTM's cell state; the others don't use it. */
typedef void okt_activation(size_t units, const float *gates, float *memory, const float *before, float *after);

typedef struct {
    const char *name;
    size_t panel; /* columns of a panel of packed weights */
    size_t rows;  /* rows that `multiply` takes at most */

    /* out[r][c] = starts[r][first + c] + sum over k of in[r][k] * weights[k][c], for r < rows and every column c.
     *
     * in: `count` pieces, side by side. Weights that are deeper than the pieces together are not read to their end.
     * out: row r at out[r * out_stride]. */
    void (*multiply)(const okt_packed *weights, size_t rows, size_t count, const okt_piece *in,
                     const float *const *starts, size_t first, float *out, size_t out_stride);

    okt_activation *lstm, *gru, *rnn_tanh, *rnn_relu;

    /* Adds a state to the sum and the maximum of those before it. `excess` is what rounding added to the sum. */
    void (*pool)(size_t units, const float *hidden, float *sum, float *excess, float *highest);

    /* Runs multiply-adds in registers and returns how many floating point operations they were: the roofline. */
    double (*burn)(size_t rounds, float *result);
} okt_kernels;

/* The kernels of that name ("avx512", "avx2", "neon", "plain") if this processor can run them, else NULL. */
const okt_kernels *okt_find_kernels(const char *name);

/* Kernel names from the fastest to the one that runs everywhere, then NULL. */
extern const char *const okt_kernel_names[];

/* Each returns NULL if the compiler can't build it. */
const okt_kernels *okt_kernels_avx512(void);
const okt_kernels *okt_kernels_avx2(void);
const okt_kernels *okt_kernels_baseline(void);

#endif
