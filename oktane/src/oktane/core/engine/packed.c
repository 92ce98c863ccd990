#include "packed.h"

#include <stdint.h>
#include <stdlib.h>

size_t okt_round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

float *okt_aligned(void *memory) { return (float *)okt_round_up((uintptr_t)memory, OKT_LINE); }

bool okt_pack(okt_packed *packed, size_t panel, size_t depth, size_t columns, okt_weight *weight, const void *from) {
    void *memory = malloc(depth * columns * sizeof(float) + OKT_LINE);
    if (!memory) return false;
    float *to = okt_aligned(memory);
    *packed = (okt_packed){depth, columns, to, memory};
    for (size_t first = 0; first < columns; first += panel)
        for (size_t k = 0; k < depth; k++)
            for (size_t i = 0; i < panel; i++) *to++ = weight(from, k, first + i);
    return true;
}

void okt_packed_free(okt_packed *packed) { free(packed->memory); }
