/* Tokens and merges in hash tables; byte pair encoding as the tokenizers library does it.
 *
 * A morpheme's characters are merged pair by pair, the pair of the earliest merge first, and the leftmost of equal ones.
 * Pairs wait in a heap, so a morpheme of a million characters takes no quadratic time.
 */
#include "vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "index.h"

typedef struct {
    int32_t left, right, merged;
} merge;

struct okt_vocabulary {
    okt_chars chars;           /* of all tokens, one after the other */
    OKT_ARRAY(size_t) ends;    /* by token: where its characters end; they begin where those of the one before end */
    okt_ids ids;               /* by token */
    okt_index tokens;          /* tokens by their characters */
    OKT_ARRAY(merge) merges;   /* by rank */
    okt_index merges_of_pairs; /* merges by their two ids */
    bool pieces;
    int32_t unknown, bytes[256];
    okt_chars mark;
};

okt_vocabulary *okt_vocabulary_new(void) { return calloc(1, sizeof(okt_vocabulary)); }

void okt_vocabulary_free(okt_vocabulary *vocabulary) {
    if (!vocabulary) return;
    free(vocabulary->chars.items);
    free(vocabulary->ends.items);
    free(vocabulary->ids.items);
    okt_index_free(&vocabulary->tokens);
    free(vocabulary->merges.items);
    okt_index_free(&vocabulary->merges_of_pairs);
    free(vocabulary->mark.items);
    free(vocabulary);
}

/* ---- tokens ---- */

/* Where the id of a token is, or NULL if there is no such token. */
static int32_t *find(const okt_vocabulary *vocabulary, const okt_char *chars, size_t length, uint32_t hash) {
    const okt_index *index = &vocabulary->tokens;
    for (okt_index_cursor at = okt_index_find(index, hash); okt_index_next(index, hash, &at);) {
        size_t start = at.number ? vocabulary->ends.items[at.number - 1] : 0;
        if (vocabulary->ends.items[at.number] - start == length &&
            !memcmp(vocabulary->chars.items + start, chars, length * sizeof *chars))
            return &vocabulary->ids.items[at.number];
    }
    return NULL;
}

static int32_t id_of(const okt_vocabulary *vocabulary, const okt_char *chars, size_t length) {
    const int32_t *id = find(vocabulary, chars, length, okt_hash(OKT_HASH_SEED, chars, length));
    return id ? *id : -1;
}

bool okt_vocabulary_add(okt_vocabulary *vocabulary, const okt_text *token, int32_t id) {
    size_t start = vocabulary->chars.count;
    if (!OKT_RESERVE(&vocabulary->ends, vocabulary->ends.count + 1) ||
        !OKT_RESERVE(&vocabulary->ids, vocabulary->ids.count + 1) || !OKT_RESERVE(&vocabulary->chars, start + 1) ||
        !okt_append_text(&vocabulary->chars, token))
        return false;
    const okt_char *chars = vocabulary->chars.items + start;
    uint32_t hash = okt_hash(OKT_HASH_SEED, chars, token->length);
    int32_t *known = find(vocabulary, chars, token->length, hash);
    if (known || !okt_index_add(&vocabulary->tokens, hash)) {
        vocabulary->chars.count = start;
        if (known) *known = id;
        return known != NULL;
    }
    vocabulary->ends.items[vocabulary->ends.count++] = vocabulary->chars.count;
    vocabulary->ids.items[vocabulary->ids.count++] = id;
    return true;
}

bool okt_vocabulary_find(const okt_vocabulary *vocabulary, const okt_text *token, int32_t *id) {
    okt_chars chars = {0};
    bool complete = OKT_RESERVE(&chars, 1) && okt_append_text(&chars, token);
    if (complete) *id = id_of(vocabulary, chars.items, chars.count);
    free(chars.items);
    return complete;
}

/* ---- merges ---- */

static uint32_t hash_of_pair(int32_t left, int32_t right) {
    return okt_hash(OKT_HASH_SEED, (const okt_char[]){(okt_char)left, (okt_char)right}, 2);
}

/* The merge of two neighbors, or NULL. */
static const merge *find_merge(const okt_vocabulary *vocabulary, int32_t left, int32_t right) {
    const okt_index *index = &vocabulary->merges_of_pairs;
    uint32_t hash = hash_of_pair(left, right);
    const merge *found = NULL;
    for (okt_index_cursor at = okt_index_find(index, hash); okt_index_next(index, hash, &at);) {
        const merge *candidate = &vocabulary->merges.items[at.number];
        if (candidate->left == left && candidate->right == right) found = candidate; /* the last one counts */
    }
    return found;
}

static uint32_t rank_of(const okt_vocabulary *vocabulary, const merge *of) {
    return (uint32_t)(of - vocabulary->merges.items);
}

bool okt_vocabulary_add_merge(okt_vocabulary *vocabulary, int32_t left, int32_t right, int32_t merged) {
    return OKT_RESERVE(&vocabulary->merges, vocabulary->merges.count + 1) &&
           okt_index_add(&vocabulary->merges_of_pairs, hash_of_pair(left, right)) &&
           OKT_APPEND(&vocabulary->merges, (merge){left, right, merged});
}

bool okt_vocabulary_complete(okt_vocabulary *vocabulary, bool pieces, int32_t unknown, const int32_t *bytes,
                             const okt_text *mark) {
    vocabulary->pieces = pieces;
    vocabulary->unknown = unknown;
    memcpy(vocabulary->bytes, bytes, sizeof vocabulary->bytes);
    return okt_append_text(&vocabulary->mark, mark);
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
    okt_interrupt *interrupt;
    okt_chars chars;
    OKT_ARRAY(symbol) symbols;
    OKT_ARRAY(uint64_t) heap; /* the merge's rank in the upper half, the left symbol's number in the lower; least first */
} workspace;

static bool add_symbol(workspace *workspace, int32_t id) {
    if (workspace->symbols.count >= NO_SYMBOL - 1) return false; /* they take 48 GB by then */
    uint32_t n = (uint32_t)workspace->symbols.count;
    return OKT_APPEND(&workspace->symbols, (symbol){id, n ? n - 1 : NO_SYMBOL, n + 1});
}

/* Writes the UTF-8 bytes of a character and returns how many they are. */
static size_t utf8_of(okt_char c, uint8_t *bytes) {
    if (c < 0x80) {
        bytes[0] = (uint8_t)c;
        return 1;
    }
    size_t count = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = count; i-- > 1; c >>= 6) bytes[i] = (uint8_t)(0x80 | (c & 0x3F));
    bytes[0] = (uint8_t)((0xF00 >> count & 0xFF) | c);
    return count;
}

static bool add_character(const okt_vocabulary *vocabulary, workspace *workspace, okt_char c) {
    int32_t id = id_of(vocabulary, &c, 1);
    if (id >= 0) return add_symbol(workspace, id);
    uint8_t bytes[4];
    size_t count = utf8_of(c, bytes);
    for (size_t i = 0; i < count; i++)
        if (vocabulary->bytes[bytes[i]] < 0) return add_symbol(workspace, vocabulary->unknown);
    for (size_t i = 0; i < count; i++)
        if (!add_symbol(workspace, vocabulary->bytes[bytes[i]])) return false;
    return true;
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
static bool push_pair(const okt_vocabulary *vocabulary, workspace *workspace, uint32_t left) {
    const symbol *symbols = workspace->symbols.items;
    if (left == NO_SYMBOL || symbols[left].next == NO_SYMBOL) return true;
    const merge *found = find_merge(vocabulary, symbols[left].id, symbols[symbols[left].next].id);
    if (!found) return true;
    uint64_t added = (uint64_t)rank_of(vocabulary, found) << 32 | left;
    if (!OKT_APPEND(&workspace->heap, added)) return false;
    uint64_t *heap = workspace->heap.items;
    size_t at = workspace->heap.count - 1;
    for (; at && heap[(at - 1) / 2] > added; at = (at - 1) / 2) heap[at] = heap[(at - 1) / 2];
    heap[at] = added;
    return true;
}

static bool merge_symbols(const okt_vocabulary *vocabulary, workspace *workspace) {
    symbol *symbols = workspace->symbols.items;
    workspace->heap.count = 0;
    for (size_t i = 0; i + 1 < workspace->symbols.count; i++)
        if (!push_pair(vocabulary, workspace, (uint32_t)i)) return false;
    while (workspace->heap.count) {
        if (!okt_goes_on(workspace->interrupt, 1)) return false;
        uint64_t *heap = workspace->heap.items;
        uint32_t left = (uint32_t)heap[0], rank = (uint32_t)(heap[0] >> 32);
        heap[0] = heap[--workspace->heap.count];
        sift_down(heap, workspace->heap.count);
        uint32_t right = symbols[left].next;
        if (symbols[left].id < 0 || right == NO_SYMBOL) continue;
        const merge *found = find_merge(vocabulary, symbols[left].id, symbols[right].id);
        /* Otherwise one of the two has been merged with another meanwhile. */
        if (!found || rank_of(vocabulary, found) != rank) continue;
        symbols[left].id = found->merged;
        symbols[left].next = symbols[right].next;
        symbols[right].id = -1;
        if (symbols[left].next != NO_SYMBOL) symbols[symbols[left].next].previous = left;
        if (!push_pair(vocabulary, workspace, symbols[left].previous) || !push_pair(vocabulary, workspace, left))
            return false;
    }
    return true;
}

/* Appends the ids of a morpheme, with the mark before it if it begins a word. */
static bool encode_form(const okt_vocabulary *vocabulary, workspace *workspace, const okt_text *form, bool marked,
                        okt_ids *ids) {
    okt_chars *chars = &workspace->chars;
    size_t mark = marked ? vocabulary->mark.count : 0;
    if (!OKT_RESERVE(chars, mark + 1)) return false;
    if (mark) memcpy(chars->items, vocabulary->mark.items, mark * sizeof *chars->items);
    chars->count = mark;
    if (!okt_append_text(chars, form)) return false;
    if (!vocabulary->pieces) {
        int32_t id = id_of(vocabulary, chars->items, chars->count);
        return OKT_APPEND(ids, id >= 0 ? id : vocabulary->unknown);
    }
    workspace->symbols.count = 0;
    for (size_t i = 0; i < chars->count; i++)
        if (!okt_goes_on(workspace->interrupt, 1) || !add_character(vocabulary, workspace, chars->items[i])) return false;
    if (workspace->symbols.count == 0) return true;
    workspace->symbols.items[workspace->symbols.count - 1].next = NO_SYMBOL;
    if (!merge_symbols(vocabulary, workspace)) return false;
    for (uint32_t at = 0; at != NO_SYMBOL; at = workspace->symbols.items[at].next)
        if (!OKT_APPEND(ids, workspace->symbols.items[at].id)) return false;
    return true;
}

/* ---- many texts ---- */

/* As Python's str.isspace. */
static bool is_space(okt_char c) {
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
        if (is_space(okt_text_char(&morphemes->texts[text], (size_t)i))) return true;
    return false;
}

/* The ids of each form, found once, and once more with the mark: those of variant 2 * form, plus 1 if it is marked. */
typedef struct {
    okt_ids ids;
    struct {
        size_t start, end; /* the ids [start, end); start is NOT_YET until they are found */
    } *variants;
} encoded_forms;
#define NOT_YET SIZE_MAX

/* Appends the ids of a form, which are found first if need be. */
static bool append_form(const okt_vocabulary *vocabulary, workspace *workspace, encoded_forms *encoded,
                        const okt_morphemes *morphemes, size_t form, bool marked, okt_ids *ids) {
    size_t variant = 2 * form + marked;
    if (encoded->variants[variant].start == NOT_YET) {
        size_t start = encoded->ids.count;
        if (!encode_form(vocabulary, workspace, &morphemes->forms[form], marked, &encoded->ids)) return false;
        encoded->variants[variant].start = start;
        encoded->variants[variant].end = encoded->ids.count;
    }
    size_t start = encoded->variants[variant].start, count = encoded->variants[variant].end - start;
    if (!OKT_RESERVE(ids, ids->count + count)) return false;
    if (count) memcpy(ids->items + ids->count, encoded->ids.items + start, count * sizeof *ids->items);
    ids->count += count;
    return true;
}

bool okt_encode(const okt_vocabulary *vocabulary, const okt_morphemes *morphemes, okt_interrupt *interrupt,
                okt_ids *ids, int64_t *row_splits) {
    workspace workspace = {.interrupt = interrupt};
    encoded_forms encoded = {0};
    size_t variants = 2 * morphemes->form_count;
    encoded.variants = malloc((variants + 1) * sizeof *encoded.variants);
    bool complete = encoded.variants != NULL;
    for (size_t v = 0; v < variants && complete; v++) encoded.variants[v].start = NOT_YET;
    ids->count = 0;
    row_splits[0] = 0;
    for (size_t text = 0; text < morphemes->text_count && complete; text++) {
        for (int64_t at = morphemes->row_splits[text]; at < morphemes->row_splits[text + 1] && complete; at++) {
            bool marked = vocabulary->mark.count && begins_word(morphemes, text, at);
            size_t form = (size_t)morphemes->form_ids[at];
            complete = okt_goes_on(interrupt, 1) &&
                       append_form(vocabulary, &workspace, &encoded, morphemes, form, marked, ids);
        }
        row_splits[text + 1] = (int64_t)ids->count;
    }
    free(workspace.chars.items);
    free(workspace.symbols.items);
    free(workspace.heap.items);
    free(encoded.ids.items);
    free(encoded.variants);
    return complete;
}
