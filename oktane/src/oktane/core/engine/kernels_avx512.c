/* 16 lanes, 32 registers: a tile of 12 x 32. */
#include "kernels.h"

#if defined(OKT_HAS_AVX)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,fma"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,fma")
#endif

#define NAME "avx512"
#define LANES 16
#define ROWS 12
#define VECTORS 2
typedef __m512 vec;
#define vec_all _mm512_set1_ps
#define vec_multiply_add _mm512_fmadd_ps
#define vec_max _mm512_max_ps
#define vec_min _mm512_min_ps
#define vec_clamp(x, bound) _mm512_range_ps(x, vec_all(bound), 2) /* the smaller size, with the sign of x */
#define vec_fraction(x) _mm512_reduce_ps(x, 0)                   /* x less the nearest whole number */
#define vec_scale _mm512_scalef_ps                               /* a * 2^b */
#include "kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
const okt_kernels *okt_kernels_avx512(void) { return &kernels; }
#else
const okt_kernels *okt_kernels_avx512(void) { return NULL; }
#endif
