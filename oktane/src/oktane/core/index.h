/* Finding numbered things by a hash of their characters. */
#ifndef OKT_INDEX_H
#define OKT_INDEX_H

#include "okt.h"

/* The hash of characters (FNV-1a), or of what `hash` is the hash of and these after it. */
#define OKT_HASH_SEED 0x811C9DC5u
static inline uint32_t okt_hash(uint32_t hash, const okt_char *chars, size_t length) {
    for (size_t i = 0; i < length; i++) hash = (hash ^ chars[i]) * 0x01000193u;
    return hash;
}

/* A table with open addressing. Things are numbered as they are added; the index only knows their hashes. All zeros is
 * an empty one. */
typedef struct {
    OKT_ARRAY(uint32_t) hashes;
    uint32_t *slots;   /* the number + 1 of the thing that is there, 0 for none */
    size_t slot_count; /* 0 or a power of 2, more than 2 * hashes.count */
} okt_index;

/* Numbers a thing with this hash: its number is hashes.count before. Fewer than UINT32_MAX can be added. */
bool okt_index_add(okt_index *index, uint32_t hash);

/* Forgets all things. */
void okt_index_clear(okt_index *index);

void okt_index_free(okt_index *index);

static inline size_t okt_index_slot(const okt_index *index, uint32_t hash) {
    return (hash ^ hash >> 15) & (index->slot_count - 1);
}

/* Visits the things with a hash:
 *     for (okt_index_cursor at = okt_index_find(index, hash); okt_index_next(index, hash, &at);) ... at.number ... */
typedef struct {
    size_t slot;
    uint32_t number;
} okt_index_cursor;

static inline okt_index_cursor okt_index_find(const okt_index *index, uint32_t hash) {
    return (okt_index_cursor){.slot = okt_index_slot(index, hash)};
}

static inline bool okt_index_next(const okt_index *index, uint32_t hash, okt_index_cursor *at) {
    while (index->slot_count && index->slots[at->slot]) {
        at->number = index->slots[at->slot] - 1;
        at->slot = (at->slot + 1) & (index->slot_count - 1);
        if (index->hashes.items[at->number] == hash) return true;
    }
    return false;
}

#endif
