/* Packing word lists into a double-array trie, once when a wheel is built, and laying further words over it. */
#include "packer.h"

#include <stdlib.h>
#include <string.h>

/* The array as it grows. Free cells form a ring through cell 0, so that a place for a node's children is found without
 * looking at taken cells. The children of a node form a list, which ends with 0. */
typedef struct {
    okt_node *nodes;
    uint32_t *next_free, *previous_free;
    uint32_t *first_child, *next_sibling;
    size_t count, capacity;
    okt_value *values;
    size_t value_count;
    uint32_t hard_before; /* a free cell, or 0; see find_base */
    uint16_t code_of[OKT_ALPHABET], code_count;
} trie;

static bool is_free(const trie *t, size_t cell) { return cell != OKT_ROOT && t->nodes[cell].parent == OKT_NO_NODE; }

/* Makes a cell free and the last of the ring. */
static void release_cell(trie *t, uint32_t cell) {
    t->nodes[cell] = (okt_node){.parent = OKT_NO_NODE};
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
    if (!nodes || !reserve_links(&t->next_free, capacity) || !reserve_links(&t->previous_free, capacity) ||
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
    free(t->values);
    free(t->next_free);
    free(t->previous_free);
    free(t->first_child);
    free(t->next_sibling);
}

/* A base that puts every child on a free cell: the first that fits. Families of several children leave alone the cells
 * before one that was hard to find, or else the time would grow with the square of the dictionary; smaller families,
 * which come later, fill those. */
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

/* A node whose children have no place yet: entries [first, last) begin with its `depth` characters and go on. */
typedef struct {
    uint32_t node, depth;
    size_t first, last;
    size_t next; /* index of another family with as many children, or NO_FAMILY */
} trie_family;

#define NO_FAMILY SIZE_MAX

/* Families by their number of children. */
typedef struct {
    trie_family *items;
    size_t count;
    size_t of_size[OKT_ALPHABET + 1]; /* index of a family, or NO_FAMILY */
} trie_families;

static bool begins_child(const okt_entry *entries, const trie_family *parent, size_t i) {
    return i == parent->first || entries[i].chars[parent->depth] != entries[i - 1].chars[parent->depth];
}

/* Adds a node with entries [first, last), and gives it its value if it is a word itself. Returns its number of
 * children. */
static size_t add_family(trie *t, trie_families *families, const okt_entry *entries, const uint32_t *value_of,
                         trie_family family) {
    if (entries[family.first].length == family.depth) t->nodes[family.node].value = value_of[family.first++];
    size_t children = 0;
    for (size_t i = family.first; i < family.last; i++) children += begins_child(entries, &family, i);
    if (children) {
        family.next = families->of_size[children];
        families->of_size[children] = families->count;
        families->items[families->count++] = family;
    }
    return children;
}

/* Places the children of a family, which become families of their own. Returns the largest one's number of children in
 * *largest. */
static bool place_family(trie *t, trie_families *families, const okt_entry *entries, const uint32_t *value_of,
                         trie_family parent, size_t *largest) {
    uint16_t codes[OKT_ALPHABET];
    size_t count = 0;
    for (size_t i = parent.first; i < parent.last; i++)
        if (begins_child(entries, &parent, i)) codes[count++] = t->code_of[okt_letter(entries[i].chars[parent.depth])];
    uint32_t base;
    if (!find_base(t, codes, count, &base)) return false;
    t->nodes[parent.node].base = base;
    *largest = 0;
    for (size_t child = 0, first = parent.first; child < count; child++) {
        size_t last = first + 1;
        while (last < parent.last && !begins_child(entries, &parent, last)) last++;
        trie_family family = {.node = base + codes[child], .depth = parent.depth + 1, .first = first, .last = last};
        take_cell(t, family.node, parent.node);
        size_t children = add_family(t, families, entries, value_of, family);
        if (children > *largest) *largest = children;
        first = last;
    }
    return true;
}

static int by_value(const void *a, const void *b) {
    const okt_entry *x = *(const okt_entry *const *)a, *y = *(const okt_entry *const *)b;
    return memcmp(&x->value, &y->value, sizeof x->value);
}

static const okt_value NO_VALUE = {.stems = {OKT_NO_STEM, OKT_NO_STEM}};

/* Numbers the distinct values of entries: value_of[i] is that of entry i. */
static bool number_values(trie *t, const okt_entry *entries, size_t count, uint32_t *value_of) {
    const okt_entry **sorted = malloc((count + 1) * sizeof *sorted);
    t->values = malloc((count + 1) * sizeof *t->values);
    if (sorted && t->values) {
        for (size_t i = 0; i < count; i++) sorted[i] = &entries[i];
        qsort(sorted, count, sizeof *sorted, by_value);
        t->values[t->value_count++] = NO_VALUE;
        for (size_t i = 0; i < count; i++) {
            if (i == 0 || by_value(&sorted[i - 1], &sorted[i]) != 0) t->values[t->value_count++] = sorted[i]->value;
            value_of[sorted[i] - entries] = (uint32_t)t->value_count - 1;
        }
    }
    free(sorted);
    return sorted && t->values;
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

/* Places the largest families first: small ones fit into the gaps that these leave. */
static bool place_families(trie *t, trie_families *families, const okt_entry *entries, const uint32_t *value_of,
                           size_t size) {
    while (size > 0) {
        size_t index = families->of_size[size], largest;
        if (index == NO_FAMILY) {
            size--;
            t->hard_before = 0;
            continue;
        }
        families->of_size[size] = families->items[index].next;
        if (!place_family(t, families, entries, value_of, families->items[index], &largest)) return false;
        if (largest > size) size = largest;
    }
    return true;
}

static bool build_trie(trie *t, const okt_entry *entries, size_t count) {
    size_t nodes = 1;
    for (size_t i = 0; i < count; i++) nodes += entries[i].length;
    trie_families families = {.items = malloc(nodes * sizeof *families.items)};
    for (size_t i = 0; i <= OKT_ALPHABET; i++) families.of_size[i] = NO_FAMILY;
    uint32_t *value_of = malloc((count + 1) * sizeof *value_of);
    bool done = families.items && value_of && grow_trie(t, 0) && number_values(t, entries, count, value_of);
    if (done && count > 0) {
        number_letters(t, entries, count);
        size_t size = add_family(t, &families, entries, value_of, (trie_family){.node = OKT_ROOT, .last = count});
        done = place_families(t, &families, entries, value_of, size);
    }
    free(families.items);
    free(value_of);
    return done;
}

/* ---- extending a trie ---- */

/* Copies a dictionary's trie, with room for further values. */
static bool copy_trie(trie *t, const okt_dictionary *dictionary, size_t more_values) {
    size_t count = dictionary->header->node_count;
    t->value_count = dictionary->header->value_count;
    t->values = malloc((t->value_count + more_values) * sizeof *t->values);
    if (!t->values || !reserve_cells(t, count)) return false;
    release_cell(t, OKT_ROOT);
    memcpy(t->nodes, dictionary->nodes, count * sizeof *t->nodes);
    memcpy(t->values, dictionary->values, t->value_count * sizeof *t->values);
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
    /* Others may share the value that it has: it gets one of its own. */
    okt_value *value = &t->values[t->value_count];
    *value = t->values[t->nodes[node].value];
    value->lists = (uint16_t)((value->lists & ~entry->removed) | entry->value.lists);
    for (int i = 0; i < 2; i++) {
        if (entry->removed & OKT_LIST(i ? OKT_ADJECTIVE : OKT_VERB)) value->stems[i] = OKT_NO_STEM;
        if (entry->value.stems[i] != OKT_NO_STEM) value->stems[i] = stems_before + entry->value.stems[i];
    }
    t->nodes[node].value = (uint32_t)t->value_count++;
    return true;
}

/* ---- the packed form ---- */

/* Appends strings to the packed ones: `chars` of their characters are there, of which the last end at *starts. */
static uint32_t *write_strings(okt_char *chars, uint32_t *starts, const okt_strings *strings) {
    uint32_t first = strings->starts[0], length = strings->starts[strings->count] - first;
    if (length) memcpy(chars + *starts, strings->chars + first, length * sizeof *chars);
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
        .value_count = (uint32_t)t->value_count,
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
    memcpy(packed + at.values, t->values, t->value_count * sizeof *t->values);
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
    bool done = copy_trie(&t, dictionary, count);
    for (size_t i = 0; i < count && done; i++) done = extend_trie(&t, &entries[i], header->stem_count);
    void *packed = done ? write_packed(&t, &known_stems, stems, &corrections, size) : NULL;
    free_trie(&t);
    return packed;
}
