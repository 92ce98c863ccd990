/* Many texts, one result: what the Python layer calls without holding the interpreter's lock (batch.c). */
#ifndef OKT_BATCH_H
#define OKT_BATCH_H

#include "dictionary.h"

/* A Python string: `width` bytes (1, 2 or 4) for each character. */
typedef struct {
    const void *data;
    size_t length;
    int width;
} okt_text;

/* What is wanted of each text. */
typedef enum {
    OKT_MORPHEMES, /* every token but spaces */
    OKT_TAGGED,    /* the same; a form of two parts of speech is two forms */
    OKT_NOUNS,     /* nouns only */
    OKT_PHRASES,   /* noun phrases */
    OKT_NORMALIZED /* the normal form, one "token" */
} okt_task;

/* The distinct forms of a batch, numbered by first appearance. Open addressing; slots hold numbers + 1. */
typedef struct {
    okt_chars chars;
    uint32_t *starts; /* form i is chars[starts[i]:starts[i + 1]] */
    uint8_t *pos;     /* 0 but for OKT_TAGGED */
    uint32_t *hashes;
    size_t starts_capacity, pos_capacity, hashes_capacity, count;
    uint32_t *slots;
    size_t slot_count; /* 0 or a power of 2, more than 2 * count */
} okt_forms;

typedef struct {
    okt_forms forms;
    okt_tokens tokens;  /* of all texts; spans in the text that was given */
    int32_t *form_ids;  /* by token: its form; under `stem` the stem's */
    int64_t *row_splits; /* text i has the tokens row_splits[i] to row_splits[i + 1] */
    size_t rows;
    /* of the text at hand */
    okt_workspace *workspace;
    okt_chars text, normalized;
    okt_spans origins, phrases;
    okt_tokens found;
    size_t form_ids_capacity, row_splits_capacity;
} okt_batch;

okt_batch *okt_batch_new(void); /* NULL: no memory */
void okt_batch_free(okt_batch *batch);

/* Replaces the batch's result by that of `count` texts. */
int okt_batch_run(okt_batch *batch, const okt_dictionary *dictionary, const okt_text *texts, size_t count,
                  okt_task task, bool norm, bool stem);

/* True if its buffers have become too large to be kept for the next call. */
bool okt_batch_is_large(const okt_batch *batch);

#endif
