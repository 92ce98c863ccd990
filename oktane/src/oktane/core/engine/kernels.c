/* Which kernels this processor can run. */
#include "kernels.h"

#include <string.h>

const char *const okt_kernel_names[] = {"avx512", "avx2", "neon", "plain", NULL};

const okt_kernels *okt_find_kernels(const char *name) {
    const okt_kernels *found = okt_kernels_baseline();
#if defined(OKT_HAS_AVX)
    if (strcmp(name, "avx512") == 0)
        found = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") ? okt_kernels_avx512() : NULL;
    else if (strcmp(name, "avx2") == 0)
        found = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? okt_kernels_avx2() : NULL;
#endif
    return found && strcmp(found->name, name) == 0 ? found : NULL;
}
