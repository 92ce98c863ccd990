/* Packing word lists into a double-array trie. Done once; the result is kept in a file. */
#include <stdlib.h>
#include <string.h>

#include "dictionary.h"

/* The array as it grows. Free cells form a ring through cell 0, in order of place, so that a place for a node's
 * children is found without looking at taken cells. */
typedef struct {
    okt_node *nodes;
    uint32_t *next_free, *previous_free;
    uint32_t hard_before; /* a cell, or 0 */
    size_t count, capacity;
    uint32_t (*stems)[2];
} trie;

static bool is_free(const trie *t, size_t cell) { return cell != OKT_ROOT && t->nodes[cell].parent == OKT_NO_NODE; }

static int grow(trie *t, size_t count) {
    if (count <= t->count) return OKT_OK;
    size_t capacity = t->capacity ? t->capacity : 1 << 16;
    while (capacity < count) capacity *= 2;
    if (capacity > t->capacity) {
        void *nodes = realloc(t->nodes, capacity * sizeof *t->nodes);
        if (nodes) t->nodes = nodes;
        void *next = realloc(t->next_free, capacity * sizeof *t->next_free);
        if (next) t->next_free = next;
        void *previous = realloc(t->previous_free, capacity * sizeof *t->previous_free);
        if (previous) t->previous_free = previous;
        void *stems = realloc(t->stems, capacity * sizeof *t->stems);
        if (stems) t->stems = stems;
        if (!nodes || !next || !previous || !stems) return OKT_NO_MEMORY;
        t->capacity = capacity;
    }
    for (size_t cell = t->count; cell < count; cell++) {
        t->nodes[cell] = (okt_node){.parent = OKT_NO_NODE};
        t->stems[cell][0] = t->stems[cell][1] = OKT_NO_STEM;
        uint32_t last = cell ? t->previous_free[0] : 0;
        t->next_free[cell] = 0;
        t->previous_free[cell] = last;
        t->next_free[last] = t->previous_free[0] = (uint32_t)cell;
    }
    t->count = count;
    return OKT_OK;
}

static void take(trie *t, uint32_t cell, uint32_t parent) {
    t->next_free[t->previous_free[cell]] = t->next_free[cell];
    t->previous_free[t->next_free[cell]] = t->previous_free[cell];
    t->nodes[cell].parent = parent;
    if (cell == t->hard_before) t->hard_before = t->next_free[cell];
}

/* A base that puts every child on a free cell: the first that fits. Families of several children leave alone the cells
 * before one that was hard to find, or else the time would grow with the square of the dictionary; single children,
 * which are most, fill those. */
static int find_base(trie *t, const uint16_t *codes, size_t count, uint32_t *base) {
    enum { HARD = 1024 };
    uint32_t cell = count > 1 && t->hard_before ? t->hard_before : t->next_free[0];
    for (int tries = 0; cell != 0; tries++, cell = t->next_free[cell]) {
        if (cell < codes[0]) continue;
        uint32_t candidate = cell - codes[0];
        size_t i = 1;
        while (i < count && (candidate + codes[i] >= t->count || is_free(t, candidate + codes[i]))) i++;
        if (i == count) {
            if (tries > HARD) t->hard_before = t->next_free[cell];
            *base = candidate;
            return grow(t, (size_t)candidate + OKT_ALPHABET + 1);
        }
    }
    *base = (uint32_t)t->count;
    return grow(t, t->count + OKT_ALPHABET + 1);
}

/* Entries [first, last) share their first `depth` characters, which lead to `node`. */
typedef struct {
    uint32_t node, depth;
    size_t first, last;
} family;

/* Places a family's children, which become families of their own at the end of `queue`. */
static int place(trie *t, const uint16_t *code_of, const okt_entry *entries, family parent, family *queue,
                 size_t *queued) {
    uint16_t codes[OKT_ALPHABET];
    size_t count = 0, first = parent.first;
    if (first < parent.last && entries[first].length == parent.depth) {
        const okt_entry *entry = entries + first++;
        okt_node *node = t->nodes + parent.node;
        node->frequency = entry->frequency;
        node->lists = entry->lists;
        node->typo = entry->typo;
        memcpy(t->stems[parent.node], entry->stems, sizeof entry->stems);
    }
    if (first == parent.last) return OKT_OK;
    size_t children = *queued;
    for (size_t i = first; i < parent.last; i++) {
        okt_char c = entries[i].chars[parent.depth];
        if (i == first || c != entries[i - 1].chars[parent.depth]) {
            codes[count++] = code_of[okt_letter(c)];
            queue[(*queued)++] = (family){.depth = parent.depth + 1, .first = i};
        }
        queue[*queued - 1].last = i + 1;
    }
    uint32_t base;
    if (find_base(t, codes, count, &base) != OKT_OK) return OKT_NO_MEMORY;
    t->nodes[parent.node].base = base;
    for (size_t i = 0; i < count; i++) {
        take(t, base + codes[i], parent.node);
        queue[children + i].node = base + codes[i];
    }
    return OKT_OK;
}

typedef struct {
    size_t uses;
    uint16_t letter;
} letter_uses;

static int by_falling_use(const void *a, const void *b) {
    const letter_uses *x = a, *y = b;
    if (x->uses != y->uses) return x->uses < y->uses ? 1 : -1;
    return (int)x->letter - (int)y->letter;
}

/* Codes from 1 up by falling frequency; 0 for letters that no entry has. */
static void number_letters(const okt_entry *entries, size_t count, uint16_t *code_of) {
    static const letter_uses none;
    letter_uses uses[OKT_ALPHABET];
    for (int i = 0; i < OKT_ALPHABET; i++) {
        uses[i] = none;
        uses[i].letter = (uint16_t)i;
        code_of[i] = 0;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < entries[i].length; j++) uses[okt_letter(entries[i].chars[j])].uses++;
    qsort(uses, OKT_ALPHABET, sizeof *uses, by_falling_use);
    for (int i = 0; i < OKT_ALPHABET && uses[i].uses; i++) code_of[uses[i].letter] = (uint16_t)(i + 1);
}

/* Builds the trie breadth first. */
static int build(trie *t, const uint16_t *code_of, const okt_entry *entries, size_t count) {
    size_t nodes = 1;
    for (size_t i = 0; i < count; i++) nodes += entries[i].length;
    family *queue = malloc(nodes * sizeof *queue);
    if (!queue || grow(t, 1) != OKT_OK) {
        free(queue);
        return OKT_NO_MEMORY;
    }
    size_t queued = 1;
    queue[0] = (family){.node = OKT_ROOT, .depth = 0, .first = 0, .last = count};
    int status = OKT_OK;
    for (size_t i = 0; i < queued && status == OKT_OK; i++) status = place(t, code_of, entries, queue[i], queue, &queued);
    free(queue);
    /* A child is looked for without a bounds check: base + the greatest code must lie inside. */
    return status == OKT_OK ? grow(t, t->count + OKT_ALPHABET + 1) : status;
}

void *okt_pack(const okt_entry *entries, size_t entry_count, const okt_char *chars, size_t char_count,
               const uint32_t *stem_starts, size_t stem_count, const uint32_t *typo_starts, size_t typo_count,
               size_t *size) {
    trie t = {0};
    uint16_t code_of[OKT_ALPHABET];
    char *packed = NULL;
    number_letters(entries, entry_count, code_of);
    if (build(&t, code_of, entries, entry_count) == OKT_OK) {
        okt_header header = {
            .magic = {'o', 'k', 't', 'a', 'n', 'e', '\r', '\n'},
            .format = OKT_FORMAT,
            .node_count = (uint32_t)t.count,
            .stem_count = (uint32_t)stem_count,
            .typo_count = (uint32_t)typo_count,
            .char_count = (uint32_t)char_count,
        };
        okt_layout at = okt_layout_of(&header);
        header.size = *size = at.size;
        packed = calloc(1, at.size);
        if (packed) {
            memcpy(packed, &header, sizeof header);
            memcpy(packed + at.nodes, t.nodes, t.count * sizeof *t.nodes);
            memcpy(packed + at.stems, t.stems, t.count * sizeof *t.stems);
            memcpy(packed + at.stem_starts, stem_starts, (stem_count + 1) * sizeof *stem_starts);
            memcpy(packed + at.typo_starts, typo_starts, (typo_count + 1) * sizeof *typo_starts);
            memcpy(packed + at.chars, chars, char_count * sizeof *chars);
            memcpy(packed + at.codes, code_of, sizeof code_of);
        }
    }
    free(t.nodes);
    free(t.next_free);
    free(t.previous_free);
    free(t.stems);
    return packed;
}
