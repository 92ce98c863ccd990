/* Looking words up. Source of the word lists' use: KoreanDictionaryProvider.scala. */
#include "dictionary.h"

#include <string.h>

static size_t aligned(size_t size) { return (size + 15) & ~(size_t)15; }

okt_layout okt_layout_of(const okt_header *header) {
    okt_layout at;
    at.nodes = aligned(sizeof(okt_header));
    at.values = aligned(at.nodes + header->node_count * sizeof(okt_node));
    at.stem_starts = aligned(at.values + header->value_count * sizeof(okt_value));
    at.typo_starts = aligned(at.stem_starts + ((size_t)header->stem_count + 1) * sizeof(uint32_t));
    at.chars = aligned(at.typo_starts + ((size_t)header->typo_count + 1) * sizeof(uint32_t));
    at.codes = aligned(at.chars + header->char_count * sizeof(okt_char));
    at.size = aligned(at.codes + OKT_ALPHABET * sizeof(uint16_t));
    return at;
}

bool okt_dictionary_open(okt_dictionary *dictionary, const void *packed, size_t size) {
    const char *bytes = packed;
    const okt_header *header = packed;
    if (size < sizeof *header || memcmp(header->magic, OKT_MAGIC, sizeof header->magic) != 0 ||
        header->format != OKT_FORMAT)
        return false;
    okt_layout at = okt_layout_of(header);
    if (header->size != size || at.size != size) return false;
    dictionary->fixed = (okt_fixed_words){0};
    dictionary->header = header;
    dictionary->nodes = (const okt_node *)(bytes + at.nodes);
    dictionary->values = (const okt_value *)(bytes + at.values);
    dictionary->stem_starts = (const uint32_t *)(bytes + at.stem_starts);
    dictionary->typo_starts = (const uint32_t *)(bytes + at.typo_starts);
    dictionary->chars = (const okt_char *)(bytes + at.chars);
    dictionary->codes = (const uint16_t *)(bytes + at.codes);
    return true;
}

uint32_t okt_find(const okt_dictionary *dictionary, const okt_char *word, size_t length) {
    uint32_t node = OKT_ROOT;
    for (size_t i = 0; i < length && node != OKT_NO_NODE; i++) node = okt_child(dictionary, node, word[i]);
    return node;
}

okt_lists okt_lookup(const okt_dictionary *dictionary, const okt_char *word, size_t length) {
    uint32_t node = okt_find(dictionary, word, length);
    return node == OKT_NO_NODE ? 0 : okt_value_of(dictionary, node)->lists;
}

/* Whether letters, or digits, stand on both sides of a place. */
static bool is_within_run(okt_char before, okt_char after) {
    return (is_letter(before) && is_letter(after)) || (is_digit(before) && is_digit(after));
}

/* The first of the fixed words that does not begin with a character less than `c`. */
static size_t first_fixed(const okt_fixed_words *fixed, okt_char c) {
    size_t low = 0, high = fixed->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (fixed->chars[fixed->starts[middle]] < c) low = middle + 1;
        else high = middle;
    }
    return low;
}

bool okt_find_fixed(const okt_dictionary *dictionary, const okt_char *text, size_t from, size_t end, okt_span *match,
                    const uint8_t **marks) {
    const okt_fixed_words *fixed = &dictionary->fixed;
    for (size_t start = from; start < end && fixed->count; start++) {
        if (start > from && is_within_run(text[start - 1], text[start])) continue;
        for (size_t i = first_fixed(fixed, text[start]); i < fixed->count; i++) {
            const okt_char *word = fixed->chars + fixed->starts[i];
            size_t length = fixed->starts[i + 1] - fixed->starts[i], after = start + length;
            if (word[0] != text[start]) break;
            if (after > end || memcmp(word, text + start, length * sizeof *word) != 0) continue;
            if (after < end && is_within_run(text[after - 1], text[after])) continue;
            *match = (okt_span){(uint32_t)start, (uint32_t)after};
            *marks = fixed->marks + fixed->starts[i];
            return true;
        }
    }
    return false;
}

const okt_char *okt_typo(const okt_dictionary *dictionary, const okt_char *word, size_t length,
                         size_t *correction_length) {
    uint32_t node = okt_find(dictionary, word, length);
    uint16_t typo = node == OKT_NO_NODE ? 0 : okt_value_of(dictionary, node)->typo;
    if (typo == 0) return NULL;
    const uint32_t *start = dictionary->typo_starts + typo - 1;
    *correction_length = start[1] - start[0];
    return dictionary->chars + start[0];
}
