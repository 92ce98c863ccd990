/* Finding numbered things by a hash of their characters. */
#include "index.h"

#include <stdlib.h>

static void fill_slot(okt_index *index, uint32_t number) {
    size_t slot = okt_index_slot(index, index->hashes.items[number]);
    while (index->slots[slot]) slot = (slot + 1) & (index->slot_count - 1);
    index->slots[slot] = number + 1;
}

static bool grow_slots(okt_index *index) {
    size_t slot_count = index->slot_count ? index->slot_count * 2 : 256;
    uint32_t *slots = calloc(slot_count, sizeof *slots);
    if (!slots) return false;
    free(index->slots);
    index->slots = slots;
    index->slot_count = slot_count;
    for (size_t i = 0; i < index->hashes.count; i++) fill_slot(index, (uint32_t)i);
    return true;
}

bool okt_index_add(okt_index *index, uint32_t hash) {
    if ((index->hashes.count + 1) * 2 > index->slot_count && !grow_slots(index)) return false;
    if (!OKT_APPEND(&index->hashes, hash)) return false;
    fill_slot(index, (uint32_t)index->hashes.count - 1);
    return true;
}

/* Newest first, so that each is found where it was put: a few things cost little in a large table. */
void okt_index_clear(okt_index *index) {
    for (size_t i = index->hashes.count; i-- > 0;) {
        size_t slot = okt_index_slot(index, index->hashes.items[i]);
        while (index->slots[slot] != i + 1) slot = (slot + 1) & (index->slot_count - 1);
        index->slots[slot] = 0;
    }
    index->hashes.count = 0;
}

void okt_index_free(okt_index *index) {
    free(index->hashes.items);
    free(index->slots);
}
