/* The arithmetic of the networks, once for each kind of processor.
 *
 * kernels_body.h is the one source. It is compiled by kernels_avx512.c, kernels_avx2.c and kernels_baseline.c, which
 * say how wide a vector is and how to multiply and add. The operations on a row and their order do not depend on the
 * other rows, so a text's result does not depend on its neighbors.
 */
#ifndef OKT_KERNELS_H
#define OKT_KERNELS_H

#include <stddef.h>

/* Vector extensions of GCC and clang; elsewhere a vector is one float. */
#if defined(__GNUC__)
#define OKT_HAS_VECTORS 1
#endif
#if defined(OKT_HAS_VECTORS) && defined(__x86_64__)
#define OKT_HAS_AVX 1
#endif

enum { OKT_MOST_ROWS = 12 }; /* the largest `rows` of any kernels */

/* A recurrent cell's activation: reads the gates of one row, updates its states. Arrays have `units` floats, a multiple
 * of a vector's lanes; gate g stands at gates[g * units]. `memory` is the LSTM's cell state; the others don't use it. */
typedef void okt_activation(size_t units, const float *gates, float *memory, float *hidden);

typedef struct {
    const char *name;
    size_t panel; /* columns of a panel of packed weights, see okt_pack_weights */
    size_t rows;  /* rows that `multiply` takes at most */

    /* out[r][c] = start[r][c] + sum over k of in[r][k] * weights[k][c], for r < rows and c < columns.
     *
     * in: (rows, depth), row r at in[r * in_stride]. weights: packed, (depth, columns), `columns` a multiple of `panel`.
     * start: a pointer to each row's `columns` first values. out: row r at out[r * out_stride]. */
    void (*multiply)(size_t rows, size_t depth, size_t columns, const float *in, size_t in_stride, const float *weights,
                     const float *const *start, size_t start_offset, float *out, size_t out_stride);

    okt_activation *lstm, *gru, *rnn_tanh, *rnn_relu;

    /* Adds a state to the sum and the maximum of those before it. */
    void (*pool)(size_t units, const float *hidden, float *sum, float *highest);

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
