/* 8 lanes, 16 registers: a tile of 6 x 16. */
#include "kernels.h"

#if defined(OKT_HAS_AVX)
#include <immintrin.h>
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC target("avx2,fma")
#endif

#define NAME "avx2"
#define LANES 8
#define ROWS 6
#define VECTORS 2
typedef __m256 vec;
#define vec_all _mm256_set1_ps
#define vec_multiply_add _mm256_fmadd_ps
#define vec_max _mm256_max_ps
#define vec_min _mm256_min_ps
#include "kernels_body.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif
const okt_kernels *okt_kernels_avx2(void) { return &kernels; }
#else
const okt_kernels *okt_kernels_avx2(void) { return NULL; }
#endif
