/* Packing word lists into a double-array trie, once when a wheel is built, and laying further words over it. */
#include "packer.h"

#include <stdlib.h>
#include <string.h>

/* The array as it grows. Free cells form a ring through cell 0, so that a place for a node's children is found without
 * looking at taken cells. The children of a node form a list, which ends with 0. */
typedef struct {
    okt_node *nodes;
    uint32_t (*stems)[2];
    uint32_t *next_free, *previous_free;
    uint32_t *first_child, *next_sibling;
    size_t count, capacity;
    uint32_t hard_before; /* a free cell, or 0; see find_base */
    uint16_t code_of[OKT_ALPHABET], code_count;
} trie;

static bool is_free(const trie *t, size_t cell) { return cell != OKT_ROOT && t->nodes[cell].parent == OKT_NO_NODE; }

/* Makes a cell free and the last of the ring. */
static void release_cell(trie *t, uint32_t cell) {
    t->nodes[cell] = (okt_node){.parent = OKT_NO_NODE};
    t->stems[cell][0] = t->stems[cell][1] = OKT_NO_STEM;
    t->first_child[cell] = 0;
    uint32_t last = cell == OKT_ROOT ? OKT_ROOT : t->previous_free[OKT_ROOT];
    t->next_free[cell] = OKT_ROOT;
    t->previous_free[cell] = last;
    t->next_free[last] = t->previous_free[OKT_ROOT] = cell;
}

static void add_to_family(trie *t, uint32_t cell, uint32_t parent) {
    t->nodes[cell].parent = parent;
    t->next_sibling[cell] = t->first_child[parent];
    t->first_child[parent] = cell;
}

static void take_cell(trie *t, uint32_t cell, uint32_t parent) {
    t->next_free[t->previous_free[cell]] = t->next_free[cell];
    t->previous_free[t->next_free[cell]] = t->previous_free[cell];
    if (cell == t->hard_before) t->hard_before = t->next_free[cell];
    add_to_family(t, cell, parent);
}

static bool reserve_links(uint32_t **links, size_t capacity) {
    uint32_t *grown = realloc(*links, capacity * sizeof *grown);
    if (grown) *links = grown;
    return grown != NULL;
}

static bool reserve_cells(trie *t, size_t count) {
    size_t capacity = t->capacity ? t->capacity : 1 << 16;
    while (capacity < count) capacity *= 2;
    if (capacity == t->capacity) return true;
    void *nodes = realloc(t->nodes, capacity * sizeof *t->nodes);
    if (nodes) t->nodes = nodes;
    void *stems = realloc(t->stems, capacity * sizeof *t->stems);
    if (stems) t->stems = stems;
    if (!nodes || !stems || !reserve_links(&t->next_free, capacity) || !reserve_links(&t->previous_free, capacity) ||
        !reserve_links(&t->first_child, capacity) || !reserve_links(&t->next_sibling, capacity))
        return false;
    t->capacity = capacity;
    return true;
}

/* Lets every code be added to a base without leaving the array. */
static bool grow_trie(trie *t, uint32_t base) {
    size_t count = (size_t)base + OKT_ALPHABET + 1;
    if (count <= t->count) return true;
    if (count > OKT_NO_NODE || !reserve_cells(t, count)) return false;
    while (t->count < count) release_cell(t, (uint32_t)t->count++);
    return true;
}

static void free_trie(trie *t) {
    free(t->nodes);
    free(t->stems);
    free(t->next_free);
    free(t->previous_free);
    free(t->first_child);
    free(t->next_sibling);
}

/* A base that puts every child on a free cell: the first that fits. Families of several children leave alone the cells
 * before one that was hard to find, or else the time would grow with the square of the dictionary; single children,
 * which are most, fill those. */
static bool find_base(trie *t, const uint16_t *codes, size_t count, uint32_t *base) {
    enum { HARD = 1024 };
    uint32_t cell = count > 1 && t->hard_before ? t->hard_before : t->next_free[OKT_ROOT];
    for (int tries = 0; cell != OKT_ROOT; tries++, cell = t->next_free[cell]) {
        if (cell < codes[0]) continue;
        uint32_t candidate = cell - codes[0];
        size_t i = 1;
        while (i < count && (candidate + codes[i] >= t->count || is_free(t, candidate + codes[i]))) i++;
        if (i == count) {
            if (tries > HARD) t->hard_before = t->next_free[cell];
            *base = candidate;
            return grow_trie(t, candidate);
        }
    }
    *base = (uint32_t)t->count;
    return grow_trie(t, *base);
}

/* ---- building a trie ---- */

/* Entries [first, last) share their first `depth` characters, which lead to `node`. */
typedef struct {
    uint32_t node, depth;
    size_t first, last;
} trie_family;

/* Places a trie_family's children, which become families of their own at the end of `queue`. */
static bool place_family(trie *t, const okt_entry *entries, trie_family parent, trie_family *queue, size_t *queued) {
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
    if (first == parent.last) return true;
    size_t children = *queued;
    for (size_t i = first; i < parent.last; i++) {
        okt_char c = entries[i].chars[parent.depth];
        if (i == first || c != entries[i - 1].chars[parent.depth]) {
            codes[count++] = t->code_of[okt_letter(c)];
            queue[(*queued)++] = (trie_family){.depth = parent.depth + 1, .first = i};
        }
        queue[*queued - 1].last = i + 1;
    }
    uint32_t base;
    if (!find_base(t, codes, count, &base)) return false;
    t->nodes[parent.node].base = base;
    for (size_t i = 0; i < count; i++) {
        take_cell(t, base + codes[i], parent.node);
        queue[children + i].node = base + codes[i];
    }
    return true;
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
static void number_letters(trie *t, const okt_entry *entries, size_t count) {
    letter_uses uses[OKT_ALPHABET];
    for (int i = 0; i < OKT_ALPHABET; i++) uses[i] = (letter_uses){0, (uint16_t)i};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < entries[i].length; j++) uses[okt_letter(entries[i].chars[j])].uses++;
    qsort(uses, OKT_ALPHABET, sizeof *uses, by_falling_use);
    while (t->code_count < OKT_ALPHABET && uses[t->code_count].uses) {
        uint16_t letter = uses[t->code_count].letter;
        t->code_of[letter] = ++t->code_count;
    }
}

/* Builds the trie breadth first. */
static bool build_trie(trie *t, const okt_entry *entries, size_t count) {
    size_t nodes = 1;
    for (size_t i = 0; i < count; i++) nodes += entries[i].length;
    trie_family *queue = malloc(nodes * sizeof *queue);
    bool done = queue && grow_trie(t, 0);
    if (done) {
        size_t queued = 1;
        number_letters(t, entries, count);
        queue[0] = (trie_family){.node = OKT_ROOT, .depth = 0, .first = 0, .last = count};
        for (size_t i = 0; i < queued && done; i++) done = place_family(t, entries, queue[i], queue, &queued);
    }
    free(queue);
    return done;
}

/* ---- extending a trie ---- */

static bool copy_trie(trie *t, const okt_dictionary *dictionary) {
    size_t count = dictionary->header->node_count;
    if (!reserve_cells(t, count)) return false;
    release_cell(t, OKT_ROOT);
    memcpy(t->nodes, dictionary->nodes, count * sizeof *t->nodes);
    memcpy(t->stems, dictionary->stems, count * sizeof *t->stems);
    memset(t->first_child, 0, count * sizeof *t->first_child);
    for (t->count = 1; t->count < count; t->count++) {
        uint32_t cell = (uint32_t)t->count, parent = t->nodes[cell].parent;
        if (parent == OKT_NO_NODE) release_cell(t, cell);
        else add_to_family(t, cell, parent);
    }
    memcpy(t->code_of, dictionary->codes, sizeof t->code_of);
    for (size_t i = 0; i < OKT_ALPHABET; i++)
        if (t->code_of[i] > t->code_count) t->code_count = t->code_of[i];
    return true;
}

/* Moves a node with all that leads from it. */
static void move_node(trie *t, uint32_t from, uint32_t to) {
    take_cell(t, to, t->nodes[from].parent);
    t->nodes[to] = t->nodes[from];
    memcpy(t->stems[to], t->stems[from], sizeof *t->stems);
    t->first_child[to] = t->first_child[from];
    for (uint32_t child = t->first_child[to]; child; child = t->next_sibling[child]) t->nodes[child].parent = to;
    release_cell(t, from);
}

/* Moves a node's children to where there is room for one more. */
static bool make_room(trie *t, uint32_t node, uint16_t code) {
    uint16_t codes[OKT_ALPHABET];
    size_t count = 0;
    uint32_t base, old_base = t->nodes[node].base;
    codes[count++] = code;
    for (uint32_t child = t->first_child[node]; child; child = t->next_sibling[child])
        codes[count++] = (uint16_t)(child - old_base);
    if (!find_base(t, codes, count, &base)) return false;
    t->nodes[node].base = base;
    t->first_child[node] = 0;
    for (size_t i = 1; i < count; i++) move_node(t, old_base + codes[i], base + codes[i]);
    return true;
}

/* Finds or adds the child of a node. */
static bool add_child(trie *t, uint32_t node, okt_char c, uint32_t *child) {
    uint16_t *code = &t->code_of[okt_letter(c)];
    if (!*code) *code = ++t->code_count;
    *child = t->nodes[node].base + *code;
    if (t->nodes[*child].parent == node) return true;
    if (!is_free(t, *child)) {
        if (!make_room(t, node, *code)) return false;
        *child = t->nodes[node].base + *code;
    }
    take_cell(t, *child, node);
    return true;
}

static bool extend_trie(trie *t, const okt_entry *entry, uint32_t stems_before) {
    uint32_t node = OKT_ROOT;
    for (uint32_t i = 0; i < entry->length; i++)
        if (!add_child(t, node, entry->chars[i], &node)) return false;
    t->nodes[node].lists |= entry->lists;
    for (int i = 0; i < 2; i++)
        if (entry->stems[i] != OKT_NO_STEM) t->stems[node][i] = stems_before + entry->stems[i];
    return true;
}

/* ---- the packed form ---- */

/* Appends strings to the packed ones: `chars` of their characters are there, of which the last end at *starts. */
static uint32_t *write_strings(okt_char *chars, uint32_t *starts, const okt_strings *strings) {
    uint32_t first = strings->starts[0], length = strings->starts[strings->count] - first;
    memcpy(chars + *starts, strings->chars + first, length * sizeof *chars);
    for (size_t i = 1; i <= strings->count; i++) starts[i] = *starts + (strings->starts[i] - first);
    return starts + strings->count;
}

static size_t char_count(const okt_strings *strings) { return strings->starts[strings->count] - strings->starts[0]; }

/* The stems are `stems`, then `more_stems`. */
static void *write_packed(const trie *t, const okt_strings *stems, const okt_strings *more_stems,
                          const okt_strings *corrections, size_t *size) {
    okt_header header = {
        .magic = OKT_MAGIC,
        .format = OKT_FORMAT,
        .node_count = (uint32_t)t->count,
        .stem_count = (uint32_t)(stems->count + more_stems->count),
        .typo_count = (uint32_t)corrections->count,
        .char_count = (uint32_t)(char_count(stems) + char_count(more_stems) + char_count(corrections)),
    };
    okt_layout at = okt_layout_of(&header);
    header.size = *size = at.size;
    char *packed = calloc(1, at.size);
    if (!packed) return NULL;
    memcpy(packed, &header, sizeof header);
    memcpy(packed + at.nodes, t->nodes, t->count * sizeof *t->nodes);
    memcpy(packed + at.stems, t->stems, t->count * sizeof *t->stems);
    memcpy(packed + at.codes, t->code_of, sizeof t->code_of);
    okt_char *chars = (okt_char *)(packed + at.chars);
    uint32_t *stem_starts = (uint32_t *)(packed + at.stem_starts), *typo_starts = (uint32_t *)(packed + at.typo_starts);
    stem_starts = write_strings(chars, stem_starts, stems);
    stem_starts = write_strings(chars, stem_starts, more_stems);
    *typo_starts = *stem_starts;
    write_strings(chars, typo_starts, corrections);
    return packed;
}

void *okt_pack(const okt_entry *entries, size_t count, const okt_strings *stems, const okt_strings *corrections,
               size_t *size) {
    static const uint32_t no_starts[1];
    static const okt_strings none = {.starts = no_starts};
    trie t = {0};
    void *packed = build_trie(&t, entries, count) ? write_packed(&t, stems, &none, corrections, size) : NULL;
    free_trie(&t);
    return packed;
}

void *okt_extend(const okt_dictionary *dictionary, const okt_entry *entries, size_t count, const okt_strings *stems,
                 size_t *size) {
    const okt_header *header = dictionary->header;
    okt_strings known_stems = {dictionary->chars, dictionary->stem_starts, header->stem_count};
    okt_strings corrections = {dictionary->chars, dictionary->typo_starts, header->typo_count};
    trie t = {0};
    bool done = copy_trie(&t, dictionary);
    for (size_t i = 0; i < count && done; i++) done = extend_trie(&t, &entries[i], header->stem_count);
    void *packed = done ? write_packed(&t, &known_stems, stems, &corrections, size) : NULL;
    free_trie(&t);
    return packed;
}
