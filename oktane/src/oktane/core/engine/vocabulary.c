/* Tokens and merges in hash tables; byte pair encoding as the tokenizers library does it.
 *
 * A morpheme's characters are merged pair by pair, the pair of the earliest merge first, and the leftmost of equal ones.
 * Pairs wait in a heap, so a morpheme of a million characters takes no quadratic time.
 */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    uint32_t start, length; /* its characters */
    int32_t id;
} token;

typedef struct {
    uint64_t pair; /* the left id in the upper half, the right one in the lower */
    uint32_t rank;
    int32_t merged; /* -1: the slot is free */
} merge;

struct okt_vocabulary {
    uint32_t *chars;
    size_t char_count, char_capacity;
    token *tokens;
    size_t token_count, token_capacity;
    uint32_t *token_slots; /* numbers of tokens + 1; open addressing, a power of 2, more than twice the tokens */
    size_t token_slot_count;
    merge *merges; /* open addressing, as above */
    size_t merge_count, merge_slot_count;
    uint32_t next_rank;
    bool pieces;
    int32_t unknown, bytes[256];
    uint32_t *mark;
    size_t mark_length;
};

static uint32_t char_at(okt_string string, size_t i) {
    if (string.width == 1) return ((const uint8_t *)string.data)[i];
    if (string.width == 2) return ((const uint16_t *)string.data)[i];
    return ((const uint32_t *)string.data)[i];
}

/* Makes room for `count` items; `items` points to a pointer of any type. */
static int reserve(void *items, size_t *capacity, size_t count, size_t size) {
    if (count <= *capacity) return OKT_VOCABULARY_OK;
    size_t more = count + count / 2 + 16;
    if (more > SIZE_MAX / size) return OKT_VOCABULARY_NO_MEMORY;
    void *moved, *old;
    memcpy(&old, items, sizeof old);
    if (!(moved = realloc(old, more * size))) return OKT_VOCABULARY_NO_MEMORY;
    memcpy(items, &moved, sizeof moved);
    *capacity = more;
    return OKT_VOCABULARY_OK;
}

okt_vocabulary *okt_vocabulary_new(void) { return calloc(1, sizeof(okt_vocabulary)); }

void okt_vocabulary_free(okt_vocabulary *vocabulary) {
    if (!vocabulary) return;
    free(vocabulary->chars);
    free(vocabulary->tokens);
    free(vocabulary->token_slots);
    free(vocabulary->merges);
    free(vocabulary->mark);
    free(vocabulary);
}

/* ---- tokens ---- */

static uint32_t hash_of(const uint32_t *chars, size_t length) {
    uint32_t hash = 0x811C9DC5u;
    for (size_t i = 0; i < length; i++) hash = (hash ^ chars[i]) * 0x01000193u; /* FNV-1a over characters */
    return hash ^ hash >> 15;
}

/* The slot of a token: where it is, or the free one where it belongs. */
static size_t token_slot(const okt_vocabulary *vocabulary, const uint32_t *chars, size_t length) {
    size_t mask = vocabulary->token_slot_count - 1, at = hash_of(chars, length) & mask;
    for (; vocabulary->token_slots[at]; at = (at + 1) & mask) {
        const token *found = &vocabulary->tokens[vocabulary->token_slots[at] - 1];
        if (found->length == length && memcmp(vocabulary->chars + found->start, chars, length * sizeof *chars) == 0)
            break;
    }
    return at;
}

static int32_t find(const okt_vocabulary *vocabulary, const uint32_t *chars, size_t length) {
    if (vocabulary->token_count == 0) return -1;
    uint32_t number = vocabulary->token_slots[token_slot(vocabulary, chars, length)];
    return number ? vocabulary->tokens[number - 1].id : -1;
}

static int grow_token_slots(okt_vocabulary *vocabulary) {
    if ((vocabulary->token_count + 1) * 2 <= vocabulary->token_slot_count) return OKT_VOCABULARY_OK;
    size_t count = vocabulary->token_slot_count ? vocabulary->token_slot_count * 2 : 1024;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return OKT_VOCABULARY_NO_MEMORY;
    free(vocabulary->token_slots);
    vocabulary->token_slots = slots;
    vocabulary->token_slot_count = count;
    for (size_t i = 0; i < vocabulary->token_count; i++) {
        const token *moved = &vocabulary->tokens[i];
        slots[token_slot(vocabulary, vocabulary->chars + moved->start, moved->length)] = (uint32_t)i + 1;
    }
    return OKT_VOCABULARY_OK;
}

int okt_vocabulary_add(okt_vocabulary *vocabulary, okt_string string, int32_t id) {
    size_t start = vocabulary->char_count, end = start + string.length;
    if (end > UINT32_MAX || vocabulary->token_count >= INT32_MAX ||
        reserve(&vocabulary->chars, &vocabulary->char_capacity, end, sizeof *vocabulary->chars) ||
        reserve(&vocabulary->tokens, &vocabulary->token_capacity, vocabulary->token_count + 1, sizeof(token)) ||
        grow_token_slots(vocabulary))
        return OKT_VOCABULARY_NO_MEMORY;
    for (size_t i = 0; i < string.length; i++) vocabulary->chars[start + i] = char_at(string, i);
    size_t slot = token_slot(vocabulary, vocabulary->chars + start, string.length);
    if (vocabulary->token_slots[slot]) {
        vocabulary->tokens[vocabulary->token_slots[slot] - 1].id = id;
        return OKT_VOCABULARY_OK;
    }
    vocabulary->tokens[vocabulary->token_count++] = (token){(uint32_t)start, (uint32_t)string.length, id};
    vocabulary->token_slots[slot] = (uint32_t)vocabulary->token_count;
    vocabulary->char_count = end;
    return OKT_VOCABULARY_OK;
}

int32_t okt_vocabulary_find(const okt_vocabulary *vocabulary, okt_string string) {
    uint32_t few[64], *chars = string.length <= 64 ? few : malloc(string.length * sizeof *chars);
    if (!chars) return -1;
    for (size_t i = 0; i < string.length; i++) chars[i] = char_at(string, i);
    int32_t id = find(vocabulary, chars, string.length);
    if (chars != few) free(chars);
    return id;
}

/* ---- merges ---- */

static size_t merge_slot(const okt_vocabulary *vocabulary, uint64_t pair) {
    uint64_t hash = pair * 0x9E3779B97F4A7C15ull; /* 2^64 divided by the golden ratio: Fibonacci hashing */
    size_t mask = vocabulary->merge_slot_count - 1, at = (size_t)(hash >> 32) & mask;
    while (vocabulary->merges[at].merged >= 0 && vocabulary->merges[at].pair != pair) at = (at + 1) & mask;
    return at;
}

static uint64_t pair_of(int32_t left, int32_t right) { return (uint64_t)(uint32_t)left << 32 | (uint32_t)right; }

/* The merge of two neighbors, or NULL. */
static const merge *find_merge(const okt_vocabulary *vocabulary, int32_t left, int32_t right) {
    if (vocabulary->merge_count == 0) return NULL;
    const merge *found = &vocabulary->merges[merge_slot(vocabulary, pair_of(left, right))];
    return found->merged >= 0 ? found : NULL;
}

static int grow_merges(okt_vocabulary *vocabulary) {
    if ((vocabulary->merge_count + 1) * 2 <= vocabulary->merge_slot_count) return OKT_VOCABULARY_OK;
    merge *old = vocabulary->merges;
    size_t old_count = vocabulary->merge_slot_count, count = old_count ? old_count * 2 : 1024;
    merge *merges = malloc(count * sizeof *merges);
    if (!merges) return OKT_VOCABULARY_NO_MEMORY;
    for (size_t i = 0; i < count; i++) merges[i].merged = -1;
    vocabulary->merges = merges;
    vocabulary->merge_slot_count = count;
    for (size_t i = 0; i < old_count; i++)
        if (old[i].merged >= 0) merges[merge_slot(vocabulary, old[i].pair)] = old[i];
    free(old);
    return OKT_VOCABULARY_OK;
}

int okt_vocabulary_add_merge(okt_vocabulary *vocabulary, int32_t left, int32_t right, int32_t merged) {
    if (grow_merges(vocabulary) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    merge *slot = &vocabulary->merges[merge_slot(vocabulary, pair_of(left, right))];
    if (slot->merged < 0) vocabulary->merge_count++;
    *slot = (merge){pair_of(left, right), vocabulary->next_rank++, merged};
    return OKT_VOCABULARY_OK;
}

int okt_vocabulary_complete(okt_vocabulary *vocabulary, bool pieces, int32_t unknown, const int32_t *bytes,
                            okt_string mark) {
    vocabulary->pieces = pieces;
    vocabulary->unknown = unknown;
    memcpy(vocabulary->bytes, bytes, sizeof vocabulary->bytes);
    vocabulary->mark_length = mark.length;
    if (!(vocabulary->mark = malloc((mark.length + 1) * sizeof *vocabulary->mark))) return OKT_VOCABULARY_NO_MEMORY;
    for (size_t i = 0; i < mark.length; i++) vocabulary->mark[i] = char_at(mark, i);
    return OKT_VOCABULARY_OK;
}

/* ---- one morpheme ---- */

/* A piece of the morpheme at hand. */
typedef struct {
    int32_t id; /* -1: merged into the one before it */
    uint32_t previous, next;
} symbol;
#define NO_SYMBOL UINT32_MAX

/* What encoding needs beside its result. */
typedef struct {
    uint32_t *chars;
    symbol *symbols;
    uint64_t *heap; /* the merge's rank in the upper half, the left symbol's number in the lower; the least is first */
    size_t char_capacity, symbol_capacity, symbol_count, heap_capacity, heap_count;
} workspace;

static int add_symbol(workspace *workspace, int32_t id) {
    size_t n = workspace->symbol_count;
    if (n >= NO_SYMBOL - 1 || reserve(&workspace->symbols, &workspace->symbol_capacity, n + 1, sizeof(symbol)))
        return OKT_VOCABULARY_NO_MEMORY;
    workspace->symbols[n] = (symbol){id, n ? (uint32_t)n - 1 : NO_SYMBOL, (uint32_t)n + 1};
    workspace->symbol_count++;
    return OKT_VOCABULARY_OK;
}

/* Writes the UTF-8 bytes of a character and returns how many they are. */
static size_t utf8_of(uint32_t c, uint8_t *bytes) {
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    size_t count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = count; i-- > 1; c >>= 6) bytes[i] = (uint8_t)(0x80 | (c & 0x3F));
    bytes[0] = (uint8_t)((0xF00 >> count & 0xFF) | c);
    return count;
}

static int add_character(const okt_vocabulary *vocabulary, workspace *workspace, uint32_t c) {
    int32_t id = find(vocabulary, &c, 1);
    if (id >= 0) return add_symbol(workspace, id);
    uint8_t bytes[4];
    size_t count = utf8_of(c, bytes);
    for (size_t i = 0; i < count; i++)
        if (vocabulary->bytes[bytes[i]] < 0) return add_symbol(workspace, vocabulary->unknown);
    for (size_t i = 0; i < count; i++)
        if (add_symbol(workspace, vocabulary->bytes[bytes[i]]) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    return OKT_VOCABULARY_OK;
}

static void sift_down(uint64_t *heap, size_t count) {
    for (size_t at = 0, child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && heap[child + 1] < heap[child]) child++;
        if (heap[at] <= heap[child]) break;
        uint64_t swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
    }
}

/* Puts the pair that begins with a symbol into the heap, if there is a merge for it. */
static int push_pair(const okt_vocabulary *vocabulary, workspace *workspace, uint32_t left) {
    if (left == NO_SYMBOL || workspace->symbols[left].next == NO_SYMBOL) return OKT_VOCABULARY_OK;
    const symbol *symbols = workspace->symbols;
    const merge *found = find_merge(vocabulary, symbols[left].id, symbols[symbols[left].next].id);
    if (!found) return OKT_VOCABULARY_OK;
    size_t at = workspace->heap_count;
    if (reserve(&workspace->heap, &workspace->heap_capacity, at + 1, sizeof *workspace->heap))
        return OKT_VOCABULARY_NO_MEMORY;
    uint64_t *heap = workspace->heap, added = (uint64_t)found->rank << 32 | left;
    for (; at && heap[(at - 1) / 2] > added; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = added;
    workspace->heap_count++;
    return OKT_VOCABULARY_OK;
}

static int merge_symbols(const okt_vocabulary *vocabulary, workspace *workspace) {
    symbol *symbols = workspace->symbols;
    workspace->heap_count = 0;
    for (size_t i = 0; i + 1 < workspace->symbol_count; i++)
        if (push_pair(vocabulary, workspace, (uint32_t)i) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    while (workspace->heap_count) {
        uint32_t left = (uint32_t)workspace->heap[0], rank = (uint32_t)(workspace->heap[0] >> 32);
        workspace->heap[0] = workspace->heap[--workspace->heap_count];
        sift_down(workspace->heap, workspace->heap_count);
        uint32_t right = symbols[left].next;
        if (symbols[left].id < 0 || right == NO_SYMBOL) continue;
        const merge *found = find_merge(vocabulary, symbols[left].id, symbols[right].id);
        if (!found || found->rank != rank) continue; /* one of the two has been merged with another meanwhile */
        symbols[left].id = found->merged;
        symbols[left].next = symbols[right].next;
        symbols[right].id = -1;
        if (symbols[left].next != NO_SYMBOL) symbols[symbols[left].next].previous = left;
        if (push_pair(vocabulary, workspace, symbols[left].previous) != OKT_VOCABULARY_OK ||
            push_pair(vocabulary, workspace, left) != OKT_VOCABULARY_OK)
            return OKT_VOCABULARY_NO_MEMORY;
    }
    return OKT_VOCABULARY_OK;
}

static int append(okt_ids *ids, int32_t id) {
    if (reserve(&ids->items, &ids->capacity, ids->count + 1, sizeof *ids->items)) return OKT_VOCABULARY_NO_MEMORY;
    ids->items[ids->count++] = id;
    return OKT_VOCABULARY_OK;
}

/* Appends the ids of a morpheme, with the mark before it if it begins a word. */
static int encode_form(const okt_vocabulary *vocabulary, workspace *workspace, okt_string form, bool marked,
                       okt_ids *ids) {
    size_t mark = marked ? vocabulary->mark_length : 0, length = mark + form.length;
    if (reserve(&workspace->chars, &workspace->char_capacity, length, sizeof *workspace->chars))
        return OKT_VOCABULARY_NO_MEMORY;
    uint32_t *chars = workspace->chars;
    if (mark) memcpy(chars, vocabulary->mark, mark * sizeof *chars);
    for (size_t i = 0; i < form.length; i++) chars[mark + i] = char_at(form, i);
    if (!vocabulary->pieces) {
        int32_t id = find(vocabulary, chars, length);
        return append(ids, id >= 0 ? id : vocabulary->unknown);
    }
    workspace->symbol_count = 0;
    for (size_t i = 0; i < length; i++)
        if (add_character(vocabulary, workspace, chars[i]) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    if (workspace->symbol_count == 0) return OKT_VOCABULARY_OK;
    workspace->symbols[workspace->symbol_count - 1].next = NO_SYMBOL;
    if (merge_symbols(vocabulary, workspace) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    for (uint32_t at = 0; at != NO_SYMBOL; at = workspace->symbols[at].next)
        if (append(ids, workspace->symbols[at].id) != OKT_VOCABULARY_OK) return OKT_VOCABULARY_NO_MEMORY;
    return OKT_VOCABULARY_OK;
}

/* ---- many texts ---- */

/* As Python's str.isspace. */
static bool is_space(uint32_t c) {
    if (c < 0x80) return c == 0x20 || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* Whether a morpheme begins a word: white space, or the text's beginning, stands right before it. */
static bool begins_word(const okt_morphemes *morphemes, size_t text, int64_t at) {
    bool is_first = at == morphemes->row_splits[text];
    if (is_first && morphemes->begins_word[text]) return true;
    int32_t start = morphemes->spans[2 * at];
    for (int32_t i = is_first ? 0 : morphemes->spans[2 * at - 1]; i < start; i++)
        if (is_space(char_at(morphemes->texts[text], (size_t)i))) return true;
    return false;
}

int okt_encode(const okt_vocabulary *vocabulary, const okt_morphemes *morphemes, okt_ids *ids, int64_t *row_splits) {
    /* Each form is encoded once, and once more with the mark: pieces[starts[v]:ends[v]] for form v / 2, marked if v is
     * odd; starts[v] is -1 until then. */
    typedef struct {
        int64_t start, end;
    } range;
    workspace workspace = {0};
    okt_ids pieces = {0};
    size_t variants = 2 * morphemes->form_count;
    range *ranges = malloc((variants + 1) * sizeof *ranges);
    int status = ranges ? OKT_VOCABULARY_OK : OKT_VOCABULARY_NO_MEMORY;
    for (size_t v = 0; v < variants && ranges; v++) ranges[v].start = -1;
    ids->count = 0;
    row_splits[0] = 0;
    for (size_t text = 0; text < morphemes->text_count && status == OKT_VOCABULARY_OK; text++) {
        for (int64_t at = morphemes->row_splits[text]; at < morphemes->row_splits[text + 1]; at++) {
            size_t form = (size_t)morphemes->form_ids[at];
            bool marked = vocabulary->mark_length && begins_word(morphemes, text, at);
            range *range = &ranges[2 * form + marked];
            if (range->start < 0) {
                size_t start = pieces.count;
                status = encode_form(vocabulary, &workspace, morphemes->forms[form], marked, &pieces);
                if (status != OKT_VOCABULARY_OK) break;
                range->start = (int64_t)start;
                range->end = (int64_t)pieces.count;
            }
            for (int64_t i = range->start; i < range->end && status == OKT_VOCABULARY_OK; i++)
                status = append(ids, pieces.items[i]);
        }
        row_splits[text + 1] = (int64_t)ids->count;
    }
    free(workspace.chars);
    free(workspace.symbols);
    free(workspace.heap);
    free(pieces.items);
    free(ranges);
    return status;
}
