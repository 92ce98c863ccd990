/* Texts in, numbered forms out. Nothing of the algorithm is here: it only decides what a "form" is for each task, and
 * numbers equal forms once, so that the Python layer makes one string for each. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

#define RESERVE(field, n) \
    okt_reserve(&(field), &(field##_capacity), (n), sizeof *(field))

okt_batch *okt_batch_new(void) {
    okt_batch *batch = calloc(1, sizeof *batch);
    if (batch && !(batch->workspace = okt_workspace_new())) {
        free(batch);
        return NULL;
    }
    return batch;
}

void okt_batch_free(okt_batch *batch) {
    if (!batch) return;
    okt_workspace_free(batch->workspace);
    void *buffers[] = {batch->forms.chars.items, batch->forms.starts, batch->forms.pos,      batch->forms.hashes,
                       batch->forms.slots,       batch->tokens.items, batch->form_ids,       batch->row_splits,
                       batch->text.items,        batch->origins.items, batch->phrases.items, batch->found.items,
                       batch->normalized.items,  batch};
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++) free(buffers[i]);
}

bool okt_batch_is_large(const okt_batch *batch) {
    return batch->text.capacity > 1 << 16 || batch->tokens.capacity > 1 << 19 || batch->row_splits_capacity > 1 << 17;
}

/* ---- forms ---- */

static uint32_t hash_of(const okt_char *form, size_t length, uint8_t pos) {
    uint32_t h = 0x811C9DC5u ^ pos;
    for (size_t i = 0; i < length; i++) h = (h ^ form[i]) * 0x01000193u; /* FNV-1a over characters */
    return h ^ h >> 15;
}

static int grow_slots(okt_forms *forms) {
    size_t count = forms->slot_count ? forms->slot_count * 2 : 256;
    uint32_t *slots = calloc(count, sizeof *slots);
    if (!slots) return OKT_NO_MEMORY;
    for (size_t i = 0; i < forms->count; i++) {
        size_t at = forms->hashes[i] & (count - 1);
        while (slots[at]) at = (at + 1) & (count - 1);
        slots[at] = (uint32_t)i + 1;
    }
    free(forms->slots);
    forms->slots = slots;
    forms->slot_count = count;
    return OKT_OK;
}

/* Forgets all forms, newest first, so that each is found where it was put: a few forms cost little in a large table. */
static void clear_forms(okt_forms *forms) {
    for (size_t i = forms->count; i-- > 0;) {
        size_t at = forms->hashes[i] & (forms->slot_count - 1);
        while (forms->slots[at] != i + 1) at = (at + 1) & (forms->slot_count - 1);
        forms->slots[at] = 0;
    }
    forms->count = forms->chars.count = 0;
}

/* The number of a form, which is new if it has not been seen. */
static int number_form(okt_forms *forms, const okt_char *form, size_t length, uint8_t pos, int32_t *number) {
    if ((forms->count + 1) * 2 > forms->slot_count && grow_slots(forms) != OKT_OK) return OKT_NO_MEMORY;
    uint32_t hash = hash_of(form, length, pos);
    size_t mask = forms->slot_count - 1, at = hash & mask;
    for (; forms->slots[at]; at = (at + 1) & mask) {
        uint32_t i = forms->slots[at] - 1;
        if (forms->hashes[i] == hash && forms->pos[i] == pos && forms->starts[i + 1] - forms->starts[i] == length &&
            memcmp(forms->chars.items + forms->starts[i], form, length * sizeof *form) == 0) {
            *number = (int32_t)i;
            return OKT_OK;
        }
    }
    size_t n = forms->count, end = forms->chars.count + length;
    if (end > UINT32_MAX || n >= INT32_MAX) return OKT_NO_MEMORY;
    if (OKT_RESERVE(&forms->chars, end) != OKT_OK || RESERVE(forms->starts, n + 2) != OKT_OK ||
        RESERVE(forms->pos, n + 1) != OKT_OK || RESERVE(forms->hashes, n + 1) != OKT_OK)
        return OKT_NO_MEMORY;
    if (length) memcpy(forms->chars.items + forms->chars.count, form, length * sizeof *form);
    forms->starts[n] = (uint32_t)forms->chars.count;
    forms->starts[n + 1] = (uint32_t)end;
    forms->pos[n] = pos;
    forms->hashes[n] = hash;
    forms->chars.count = end;
    forms->slots[at] = (uint32_t)n + 1;
    forms->count++;
    *number = (int32_t)n;
    return OKT_OK;
}

/* ---- one text ---- */

static int read_text(okt_chars *text, const okt_text *given) {
    if (given->length >= INT32_MAX) return OKT_NO_MEMORY;
    if (OKT_RESERVE(text, given->length) != OKT_OK) return OKT_NO_MEMORY;
    text->count = given->length;
    const uint8_t *narrow = given->data;
    const uint16_t *wide = given->data;
    if (given->width == 1)
        for (size_t i = 0; i < text->count; i++) text->items[i] = narrow[i];
    else if (given->width == 2)
        for (size_t i = 0; i < text->count; i++) text->items[i] = wide[i];
    else if (text->count)
        memcpy(text->items, given->data, text->count * sizeof *text->items);
    return OKT_OK;
}

/* Where the characters [start, end) of the text at hand stand in the given one. */
static okt_span origin_of(const okt_batch *batch, bool norm, uint32_t start, uint32_t end) {
    if (!norm || start == end) return (okt_span){start, end};
    return (okt_span){batch->origins.items[start].start, batch->origins.items[end - 1].end};
}

static int add_token(okt_batch *batch, bool norm, okt_token token, const okt_char *form, size_t length, uint8_t pos) {
    size_t n = batch->tokens.count;
    if (OKT_RESERVE(&batch->tokens, n + 1) != OKT_OK || RESERVE(batch->form_ids, n + 1) != OKT_OK ||
        number_form(&batch->forms, form, length, pos, &batch->form_ids[n]) != OKT_OK)
        return OKT_NO_MEMORY;
    okt_span origin = origin_of(batch, norm, token.start, token.end);
    token.start = origin.start;
    token.end = origin.end;
    batch->tokens.items[n] = token;
    batch->tokens.count++;
    return OKT_OK;
}

static int run_text(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *given, okt_task task,
                    bool norm, bool stem) {
    if (read_text(&batch->text, given) != OKT_OK) return OKT_NO_MEMORY;
    const okt_chars *text = &batch->text;
    if (norm) {
        if (okt_normalize(dictionary, batch->workspace, text->items, text->count, &batch->normalized,
                          &batch->origins) != OKT_OK)
            return OKT_NO_MEMORY;
        text = &batch->normalized;
    }
    if (task == OKT_NORMALIZED) {
        okt_token all = {.start = 0, .end = (uint32_t)text->count, .stem = OKT_NO_STEM};
        return add_token(batch, norm, all, text->items, text->count, 0);
    }
    if (okt_tokenize(dictionary, batch->workspace, text->items, text->count, &batch->found) != OKT_OK)
        return OKT_NO_MEMORY;
    if (task == OKT_PHRASES) {
        if (okt_extract_phrases(batch->workspace, text->items, &batch->found, &batch->phrases) != OKT_OK)
            return OKT_NO_MEMORY;
        for (size_t i = 0; i < batch->phrases.count; i++) {
            okt_span span = batch->phrases.items[i];
            okt_token phrase = {.start = span.start, .end = span.end, .stem = OKT_NO_STEM};
            if (add_token(batch, norm, phrase, text->items + span.start, span.end - span.start, 0) != OKT_OK)
                return OKT_NO_MEMORY;
        }
        return OKT_OK;
    }
    for (size_t i = 0; i < batch->found.count; i++) {
        okt_token token = batch->found.items[i];
        if (token.pos == OKT_SPACE || (task == OKT_NOUNS && token.pos != OKT_NOUN)) continue;
        const okt_char *form = text->items + token.start;
        size_t length = token.end - token.start;
        if (stem && token.stem != OKT_NO_STEM) form = okt_stem(dictionary, token.stem, &length);
        if (add_token(batch, norm, token, form, length, task == OKT_TAGGED ? token.pos : 0) != OKT_OK)
            return OKT_NO_MEMORY;
    }
    return OKT_OK;
}

int okt_batch_run(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *texts, size_t count,
                  okt_task task, bool norm, bool stem) {
    clear_forms(&batch->forms);
    batch->tokens.count = batch->rows = 0;
    if (RESERVE(batch->row_splits, count + 1) != OKT_OK) return OKT_NO_MEMORY;
    batch->row_splits[0] = 0;
    for (size_t i = 0; i < count; i++) {
        if (run_text(batch, dictionary, &texts[i], task, norm, stem) != OKT_OK) return OKT_NO_MEMORY;
        batch->row_splits[i + 1] = (int64_t)batch->tokens.count;
        batch->rows++;
    }
    return OKT_OK;
}
