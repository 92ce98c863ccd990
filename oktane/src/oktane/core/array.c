/* Growing arrays. */
#include "array.h"

#include <stdint.h>
#include <stdlib.h>

void *okt_array_grow(void *items, size_t *capacity, size_t count, size_t item_size) {
    size_t larger = *capacity < 16 ? 16 : *capacity;
    while (larger < count) {
        if (larger > SIZE_MAX / 2 / item_size) return items;
        larger *= 2;
    }
    void *grown = realloc(items, larger * item_size);
    if (!grown) return items;
    *capacity = larger;
    return grown;
}
