/* What every processor of an architecture can run: NEON on 64-bit ARM, else 4 lanes of the compiler's own vectors, or
 * where it has none, single floats. */
#include "kernels.h"

#if defined(OKT_HAS_VECTORS) && defined(__aarch64__)
#include <arm_neon.h>
#define NAME "neon" /* 4 lanes, 32 registers: a tile of 6 x 16 */
#define LANES 4
#define ROWS 6
#define VECTORS 4
typedef float32x4_t vec;
#define vec_all vdupq_n_f32
#define vec_multiply_add(a, b, c) vfmaq_f32(c, a, b)
#define vec_max vmaxq_f32
#define vec_min vminq_f32

#elif defined(OKT_HAS_VECTORS)
#define NAME "plain" /* 4 lanes, 16 registers: a tile of 6 x 8 */
#if !defined(LANES)  /* the tests have others */
#define LANES 4
#endif
#define ROWS 6
#define VECTORS 2
typedef float vec __attribute__((vector_size(4 * LANES)));
#define vec_all(x) ((x) - (vec){0})
#define vec_multiply_add(a, b, c) ((a) * (b) + (c))

static inline vec vec_select(vec a, vec b, int larger) {
    for (int i = 0; i < LANES; i++) a[i] = (a[i] > b[i]) == larger ? a[i] : b[i];
    return a;
}
#define vec_max(a, b) vec_select(a, b, 1)
#define vec_min(a, b) vec_select(a, b, 0)

#else
#define NAME "plain"
#define LANES 1
#define ROWS 6
#define VECTORS 4
typedef float vec;
#define vec_all(x) (x)
#define vec_multiply_add(a, b, c) ((a) * (b) + (c))
#define vec_max(a, b) ((a) > (b) ? (a) : (b))
#define vec_min(a, b) ((a) < (b) ? (a) : (b))
#endif

#include "kernels_body.h"

const okt_kernels *okt_kernels_baseline(void) { return &kernels; }
