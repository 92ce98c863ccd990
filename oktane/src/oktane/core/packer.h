/* Packing word lists, and laying further words over a packed dictionary. */
#ifndef OKT_PACKER_H
#define OKT_PACKER_H

#include "dictionary.h"

/* Strings one after the other: string i is chars[starts[i]:starts[i + 1]]. */
typedef struct {
    const okt_char *chars;
    const uint32_t *starts;
    size_t count;
} okt_strings;

/* A word of one of the lists, as it is packed: characters that okt_letter knows, at least one. */
typedef struct {
    const okt_char *chars;
    uint32_t length;
    okt_lists removed; /* the lists to take it out of before it is added to its own; only for okt_extend */
    okt_value value;
} okt_entry;

/* Packs entries (distinct, sorted by their characters), the stems and the corrections. The result is malloc'ed;
 * NULL: out of memory. The header's checksum and digest are left 0. */
void *okt_pack(const okt_entry *entries, size_t count, const okt_strings *stems, const okt_strings *corrections,
               size_t *size);

/* Packs a dictionary with changed words, in any order: each entry's word leaves the lists that it is removed from, with
 * its stem if that is the list of verbs or of adjectives. Then its lists are added, and each of its stems (a number in
 * `stems`) replaces the one that is there. Frequencies and typos stay as they are. The result is as for okt_pack. */
void *okt_extend(const okt_dictionary *dictionary, const okt_entry *entries, size_t count, const okt_strings *stems,
                 size_t *size);

#endif
