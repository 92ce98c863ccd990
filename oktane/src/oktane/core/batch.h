/* Many texts, one result: what the Python layer calls without holding the interpreter's lock. */
#ifndef OKT_BATCH_H
#define OKT_BATCH_H

#include "dictionary.h"
#include "index.h"
#include "text.h"
#include "workspace.h"

/* The texts of a batch have at most so many characters: every position, and the number of every form, fits 31 bits. */
enum { OKT_BATCH_MAX_CHARS = 1 << 30 };

/* What is wanted of each text. */
typedef enum {
    OKT_MORPHEMES, /* every token but spaces */
    OKT_TAGGED,    /* the same; a form of two parts of speech is two forms */
    OKT_NOUNS,     /* nouns only */
    OKT_PHRASES,   /* noun phrases */
    OKT_NORMALIZED /* the normal form, one "token" */
} okt_task;

/* Distinct forms, numbered by first appearance: form i is chars[starts[i]:starts[i + 1]]. */
typedef OKT_ARRAY(size_t) okt_starts;
typedef OKT_ARRAY(uint8_t) okt_form_pos;
typedef struct {
    size_t count;
    okt_chars chars;
    okt_starts starts;
    okt_form_pos pos; /* 0 but for OKT_TAGGED */
    okt_index index;
} okt_forms;

typedef OKT_ARRAY(int32_t) okt_form_ids;
typedef OKT_ARRAY(int64_t) okt_row_splits;

typedef struct {
    okt_forms forms;
    okt_tokens tokens;         /* of all texts; spans in the text that was given */
    okt_form_ids form_ids;     /* by token: its form; under `stem` the stem's */
    okt_row_splits row_splits; /* text i has the tokens row_splits[i] to row_splits[i + 1] */
    okt_workspace *workspace;
} okt_batch;

okt_batch *okt_batch_new(int (*goes_on)(void)); /* as okt_workspace_new */
void okt_batch_free(okt_batch *batch);

/* Replaces the batch's result by that of `count` texts. */
bool okt_batch_run(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *texts, size_t count,
                   okt_task task, bool norm, bool stem);

/* True if its buffers have become too large to be kept for the next call. */
bool okt_batch_is_large(const okt_batch *batch);

#endif
