/* The kernels' one source, generic in the width of a vector. Not a header in the usual sense: a kernels_*.c includes it
 * once, after it has defined
 *
 *     LANES, vec               floats of a vector, and its type
 *     ROWS, VECTORS            the tile of `multiply`: its accumulators, and what feeds them, must fit the registers
 *     vec_all(x)               x in every lane
 *     vec_multiply_add(a, b, c)  a * b + c
 *     vec_max(a, b), vec_min(a, b)
 *     vec_clamp(x, bound), vec_fraction(x), vec_scale(a, b)  single instructions, where there are such
 *     NAME                     the kernels' name, a string
 */
#include <stdint.h>
#include <string.h>

#include "prefetch.h"

#if defined(OKT_HAS_VECTORS)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")
typedef uint32_t vec_int __attribute__((vector_size(4 * LANES)));
typedef float vec_anywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
#else
#define INLINE static inline
#define UNROLL
typedef uint32_t vec_int;
typedef float vec_anywhere;
#endif

INLINE vec vec_load(const float *from) { return (vec) * (const vec_anywhere *)from; }

INLINE void vec_store(float *to, vec value) { *(vec_anywhere *)to = (vec_anywhere)value; }

INLINE vec_int vec_bits(vec value) {
    vec_int bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

INLINE vec vec_of_bits(vec_int bits) {
    vec value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* ---- products ---- */

/* One tile: `rows` rows, a constant where this is inlined, of one panel. */
INLINE void multiply_tile(const size_t rows, const float *panel, size_t count, const okt_piece *in,
                          const float *const *starts, size_t first, float *out, size_t out_stride) {
    vec sums[ROWS][VECTORS];
    UNROLL for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vec_load(starts[r] + first + v * LANES);
    /* Rows of the folded table are seldom in a near cache. */
    UNROLL for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t c = 0; c < VECTORS * LANES; c += OKT_LINE_FLOATS)
            OKT_PREFETCH(starts[r] + first + VECTORS * LANES + c);
    for (size_t piece = 0; piece < count; piece++) {
        const float *from[ROWS];
        UNROLL for (size_t r = 0; r < rows; r++) from[r] = in[piece].rows[r];
        for (size_t k = 0; k < in[piece].depth; k++, panel += VECTORS * LANES) {
            vec row[VECTORS];
            UNROLL for (size_t v = 0; v < VECTORS; v++) row[v] = vec_load(panel + v * LANES);
            UNROLL for (size_t r = 0; r < rows; r++) {
                vec factor = vec_all(from[r][k]);
                UNROLL for (size_t v = 0; v < VECTORS; v++) sums[r][v] = vec_multiply_add(factor, row[v], sums[r][v]);
            }
        }
    }
    UNROLL for (size_t r = 0; r < rows; r++)
        UNROLL for (size_t v = 0; v < VECTORS; v++) vec_store(out + r * out_stride + v * LANES, sums[r][v]);
}

static void multiply(const okt_packed *weights, size_t rows, size_t count, const okt_piece *in,
                     const float *const *starts, size_t first, float *out, size_t out_stride) {
    const float *panel = weights->panels;
    for (size_t c = 0; c < weights->columns; c += VECTORS * LANES, panel += weights->depth * VECTORS * LANES) {
        switch (rows) {
#define CASE(n) \
    case n: \
        multiply_tile(n, panel, count, in, starts, first + c, out + c, out_stride); \
        break;
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if ROWS > 6
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
#undef CASE
        }
    }
}

/* ---- activations ---- */

/* 2^r for |r| <= 1/2: the polynomial of degree 5 that is best in relative error (1e-7; 2e-7 as it is rounded)
 * and exact for 0, so that tanh(0) is 0. */
INLINE vec vec_power(vec r) {
    vec p = vec_all(0.00132647273f);
    p = vec_multiply_add(p, r, vec_all(0.00967151299f));
    p = vec_multiply_add(p, r, vec_all(0.0555073358f));
    p = vec_multiply_add(p, r, vec_all(0.240222424f));
    p = vec_multiply_add(p, r, vec_all(0.693147004f));
    return vec_multiply_add(p, r, vec_all(1.0f));
}

/* Bounds of an exponent of 2: three factors of 1 + 2^40 are still finite, and beyond the bounds a sigmoid differs from 0
 * or 1 by less than 1e-12. */
#define BOUND 40.0f

/* 2^t = 2^n * 2^r with n = round(t) */
INLINE vec vec_exp2(vec t) {
#if defined(vec_scale)
    t = vec_clamp(t, BOUND);
    vec r = vec_fraction(t);
    return vec_scale(vec_power(r), t - r);
#else
    const vec shift = vec_all(12582912.0f); /* 1.5 * 2^23: adding it rounds to a whole number, in the lowest bits */
    t = vec_max(vec_min(t, vec_all(BOUND)), vec_all(-BOUND));
    vec shifted = t + shift;
    vec power = vec_power(t - (shifted - shift));
    return vec_of_bits(vec_bits(power) + (vec_bits(shifted) << 23));
#endif
}

/* exp(-2 * x), with which tanh(x) = (1 - exp(-2 * x)) / (1 + exp(-2 * x)) */
INLINE vec vec_squash(vec x) { return vec_exp2(x * vec_all(-2 * 1.44269504088896341f)); }

/* With a = exp(-i) and so on, sigmoid(i) = 1 / (1 + a) and tanh(g) = (1 - b) / (1 + b). All fractions of a state are
 * brought over one denominator, as a division takes as long as an exponential. Of two short loops the processor has more
 * steps at work at once than of a long one; `after` holds 1 + exp(-o) between them. */
static void lstm(size_t units, const float *gates, float *memory, const float *before, float *after) {
    const vec one = vec_all(1.0f);
    (void)before;
    for (size_t u = 0; u < units; u += LANES) {
        vec input = one + vec_exp2(vec_load(gates + u));
        vec forget = one + vec_exp2(vec_load(gates + units + u));
        vec cell = vec_exp2(vec_load(gates + 2 * units + u));
        vec output = one + vec_exp2(vec_load(gates + 3 * units + u));
        vec both = input * (one + cell);
        vec state = vec_multiply_add(vec_load(memory + u), both, (one - cell) * forget) / (both * forget);
        vec_store(memory + u, state);
        vec_store(after + u, output);
    }
    for (size_t u = 0; u < units; u += LANES) {
        vec squashed = vec_squash(vec_load(memory + u));
        vec_store(after + u, (one - squashed) / ((one + squashed) * vec_load(after + u)));
    }
}

/* The four gates are reset, update, the candidate's part of the input, and its part of the state. */
static void gru(size_t units, const float *gates, float *memory, const float *before, float *after) {
    const vec one = vec_all(1.0f);
    (void)memory;
    for (size_t u = 0; u < units; u += LANES) {
        vec reset = one / (one + vec_exp2(vec_load(gates + u)));
        vec update = vec_exp2(vec_load(gates + units + u)); /* sigmoid(z) = 1 / (1 + update) */
        vec candidate = vec_multiply_add(reset, vec_load(gates + 3 * units + u), vec_load(gates + 2 * units + u));
        vec squashed = vec_exp2(candidate);
        /* (1 - z) * tanh(candidate) + z * before */
        vec both = one + squashed;
        vec numerator = vec_multiply_add(update, one - squashed, vec_load(before + u) * both);
        vec_store(after + u, numerator / ((one + update) * both));
    }
}

static void rnn_tanh(size_t units, const float *gates, float *memory, const float *before, float *after) {
    const vec one = vec_all(1.0f);
    (void)memory;
    (void)before;
    for (size_t u = 0; u < units; u += LANES) {
        vec squashed = vec_exp2(vec_load(gates + u));
        vec_store(after + u, (one - squashed) / (one + squashed));
    }
}

static void rnn_relu(size_t units, const float *gates, float *memory, const float *before, float *after) {
    (void)memory;
    (void)before;
    for (size_t u = 0; u < units; u += LANES) vec_store(after + u, vec_max(vec_load(gates + u), vec_all(0.0f)));
}

/* ---- pooling ---- */

/* By Kahan (1965), "Further remarks on reducing truncation errors": the sum of a long text's states stays exact. */
static void pool(size_t units, const float *hidden, float *sum, float *excess, float *highest) {
    for (size_t u = 0; u < units; u += LANES) {
        vec state = vec_load(hidden + u), before = vec_load(sum + u);
        vec term = state - vec_load(excess + u), after = before + term;
        vec_store(excess + u, (after - before) - term);
        vec_store(sum + u, after);
        vec_store(highest + u, vec_max(vec_load(highest + u), state));
    }
}

/* ---- the roofline ---- */

static double burn(size_t rounds, float *result) {
    enum { CHAINS = 12 };
    vec sums[CHAINS], factor = vec_all(0.999f), term = vec_all(0.001f);
    UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vec_all((float)i);
    for (size_t round = 0; round < rounds; round++)
        UNROLL for (size_t i = 0; i < CHAINS; i++) sums[i] = vec_multiply_add(sums[i], factor, term);
    UNROLL for (size_t i = 1; i < CHAINS; i++) sums[0] = sums[0] + sums[i];
    float lanes[LANES];
    vec_store(lanes, sums[0]);
    *result = lanes[0];
    return 2.0 * LANES * CHAINS * (double)rounds;
}

static const okt_kernels kernels = {
    .name = NAME,
    .panel = VECTORS * LANES,
    .rows = ROWS,
    .multiply = multiply,
    .lstm = lstm,
    .gru = gru,
    .rnn_tanh = rnn_tanh,
    .rnn_relu = rnn_relu,
    .pool = pool,
    .burn = burn,
};
