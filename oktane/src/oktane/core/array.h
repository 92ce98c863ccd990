/* Growing arrays. All zeros is an empty one; buffers are kept from text to text, and freed by free(array.items). */
#ifndef OKT_ARRAY_H
#define OKT_ARRAY_H

#include <stdbool.h>
#include <stddef.h>

#define OKT_ARRAY(type) \
    struct { \
        type *items; \
        size_t count, capacity; \
    }

/* Makes room for `n` items. False: out of memory; the array is as it was. */
#define OKT_RESERVE(array, n) \
    ((n) <= (array)->capacity || \
     ((array)->items = okt_array_grow((array)->items, &(array)->capacity, (n), sizeof *(array)->items), \
      (n) <= (array)->capacity))

/* Appends an item. False: out of memory; the array is as it was. */
#define OKT_APPEND(array, ...) \
    (OKT_RESERVE(array, (array)->count + 1) && ((array)->items[(array)->count++] = (__VA_ARGS__), true))

/* The items in a block of at least doubled size, and `capacity` set to it; or both as they were: out of memory. */
void *okt_array_grow(void *items, size_t *capacity, size_t count, size_t item_size);

/* The length of a fixed array. */
#define OKT_COUNT(array) (sizeof(array) / sizeof *(array))

#endif
