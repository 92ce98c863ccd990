/* Texts in, numbered forms out. Nothing of the algorithm is here: it only decides what a "form" is for each task, and
 * numbers equal forms once, so that the Python layer makes one string for each. */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

okt_batch *okt_batch_new(int (*goes_on)(void)) {
    okt_batch *batch = calloc(1, sizeof *batch);
    if (batch && !(batch->workspace = okt_workspace_new(goes_on))) {
        free(batch);
        return NULL;
    }
    return batch;
}

void okt_batch_free(okt_batch *batch) {
    if (!batch) return;
    okt_workspace_free(batch->workspace);
    free(batch->forms.chars.items);
    free(batch->forms.starts.items);
    free(batch->forms.pos.items);
    okt_index_free(&batch->forms.index);
    free(batch->tokens.items);
    free(batch->form_ids.items);
    free(batch->row_splits.items);
    free(batch);
}

bool okt_batch_is_large(const okt_batch *batch) {
    return batch->workspace->text.capacity > 1 << 16 || batch->tokens.capacity > 1 << 19 ||
           batch->row_splits.capacity > 1 << 17;
}

/* ---- forms ---- */

static void clear_forms(okt_forms *forms) {
    okt_index_clear(&forms->index);
    forms->count = forms->chars.count = 0;
}

/* The number of a form, which is added if it is new. */
static bool number_form(okt_forms *forms, const okt_char *form, size_t length, uint8_t pos, int32_t *number) {
    uint32_t hash = okt_hash(OKT_HASH_SEED ^ pos, form, length);
    for (okt_index_cursor at = okt_index_find(&forms->index, hash); okt_index_next(&forms->index, hash, &at);) {
        const size_t *start = forms->starts.items + at.number;
        if (forms->pos.items[at.number] == pos && start[1] - start[0] == length &&
            !memcmp(forms->chars.items + start[0], form, length * sizeof *form)) {
            *number = (int32_t)at.number;
            return true;
        }
    }
    size_t n = forms->count, start = forms->chars.count, end = start + length;
    if (!OKT_RESERVE(&forms->chars, end) || !OKT_RESERVE(&forms->starts, n + 2) || !OKT_RESERVE(&forms->pos, n + 1) ||
        !okt_index_add(&forms->index, hash))
        return false;
    if (length) memcpy(forms->chars.items + start, form, length * sizeof *form);
    forms->starts.items[n] = start;
    forms->starts.items[n + 1] = forms->chars.count = end;
    forms->pos.items[n] = pos;
    forms->count++;
    *number = (int32_t)n;
    return true;
}

/* ---- texts ---- */

/* Adds a token of the text at hand, and under `norm` finds where it stands in the given one. */
static bool add_token(okt_batch *batch, bool norm, okt_token token, const okt_char *form, size_t length, uint8_t pos) {
    int32_t number;
    if (!okt_goes_on(&batch->workspace->interrupt, 1)) return false;
    if (!number_form(&batch->forms, form, length, pos, &number)) return false;
    if (norm && token.start < token.end) {
        const okt_span *origins = batch->workspace->origins.items;
        uint32_t last = token.end - 1;
        token.start = origins[token.start].start;
        token.end = origins[last].end;
    }
    return OKT_APPEND(&batch->form_ids, number) && OKT_APPEND(&batch->tokens, token);
}

static bool run_text(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *given, okt_task task,
                     bool norm, bool stem) {
    okt_workspace *w = batch->workspace;
    w->text.count = 0;
    if (!okt_append_text(&w->text, given)) return false;
    const okt_chars *text = &w->text;
    if (norm) {
        if (!okt_normalize(w->normalizer, w->tokenizer, dictionary, text->items, text->count, &w->normalized,
                           &w->origins))
            return false;
        text = &w->normalized;
    }
    if (task == OKT_NORMALIZED) {
        okt_token all = {.start = 0, .end = (uint32_t)text->count, .stem = OKT_NO_STEM};
        return add_token(batch, norm, all, text->items, text->count, 0);
    }
    if (!okt_tokenize(w->tokenizer, dictionary, text->items, text->count, &w->tokens)) return false;
    if (task == OKT_PHRASES) {
        if (!okt_extract_phrases(w->phraser, text->items, &w->tokens, &w->phrases)) return false;
        for (size_t i = 0; i < w->phrases.count; i++) {
            okt_span span = w->phrases.items[i];
            okt_token phrase = {.start = span.start, .end = span.end, .stem = OKT_NO_STEM};
            if (!add_token(batch, norm, phrase, text->items + span.start, span.end - span.start, 0)) return false;
        }
        return true;
    }
    for (size_t i = 0; i < w->tokens.count; i++) {
        okt_token token = w->tokens.items[i];
        if (token.pos == OKT_SPACE || (task == OKT_NOUNS && token.pos != OKT_NOUN)) continue;
        const okt_char *form = text->items + token.start;
        size_t length = token.end - token.start;
        if (stem && token.stem != OKT_NO_STEM) form = okt_stem(dictionary, token.stem, &length);
        if (!add_token(batch, norm, token, form, length, task == OKT_TAGGED ? token.pos : 0)) return false;
    }
    return true;
}

bool okt_batch_run(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *texts, size_t count,
                   okt_task task, bool norm, bool stem) {
    clear_forms(&batch->forms);
    batch->workspace->interrupt.ended = false;
    batch->tokens.count = batch->form_ids.count = batch->row_splits.count = 0;
    if (!OKT_APPEND(&batch->row_splits, 0)) return false;
    for (size_t i = 0; i < count; i++) {
        if (!run_text(batch, dictionary, &texts[i], task, norm, stem)) return false;
        if (!OKT_APPEND(&batch->row_splits, (int64_t)batch->tokens.count)) return false;
    }
    return true;
}
