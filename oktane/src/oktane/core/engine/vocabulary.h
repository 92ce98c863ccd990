/* From morphemes to token ids: whole words, or byte pair encoding inside morphemes (vocabulary.c). */
#ifndef OKT_VOCABULARY_H
#define OKT_VOCABULARY_H

#include "text.h"

/* Read-only once it is complete, so that threads can share it. */
typedef struct okt_vocabulary okt_vocabulary;

/* A function that can run out of memory returns false if it does. */

/* An empty vocabulary. NULL: out of memory. */
okt_vocabulary *okt_vocabulary_new(void);
void okt_vocabulary_free(okt_vocabulary *vocabulary);

/* Adds a token, or gives a known one another id. `id` must not be negative. */
bool okt_vocabulary_add(okt_vocabulary *vocabulary, const okt_text *token, int32_t id);

/* Finds the id of a token; -1: there is none. */
bool okt_vocabulary_find(const okt_vocabulary *vocabulary, const okt_text *token, int32_t *id);

/* Adds the next merge, of two tokens to a third; the first one that was added is tried first. Of two merges of the same
 * tokens the last one counts. */
bool okt_vocabulary_add_merge(okt_vocabulary *vocabulary, int32_t left, int32_t right, int32_t merged);

/* Completes a vocabulary of words, or of subwords if `pieces`. An unknown word is `unknown`. In a vocabulary of subwords,
 * an unknown character becomes the tokens of its UTF-8 bytes (`bytes`, 256 ids) unless one of them is -1. `mark` is the
 * prefix of a morpheme that begins a word; it may be empty. */
bool okt_vocabulary_complete(okt_vocabulary *vocabulary, bool pieces, int32_t unknown, const int32_t *bytes,
                             const okt_text *mark);

/* Texts that have been split into morphemes: what okt_batch_run found, as Python has it. */
typedef struct {
    const okt_text *texts;
    const uint8_t *begins_word; /* by text: whether its first morpheme always begins a word */
    size_t text_count;
    const okt_text *forms; /* the distinct morphemes */
    size_t form_count;
    const int32_t *form_ids;   /* by morpheme: its form */
    const int32_t *spans;      /* by morpheme: start and end in its text */
    const int64_t *row_splits; /* text i has the morphemes row_splits[i] to row_splits[i + 1] */
} okt_morphemes;

typedef OKT_ARRAY(int32_t) okt_ids;

/* Replaces `ids` by the ids of all texts; text i has the ids row_splits[i] to row_splits[i + 1]. Also returns false if
 * the interrupt says that it is to end. */
bool okt_encode(const okt_vocabulary *vocabulary, const okt_morphemes *morphemes, okt_interrupt *interrupt,
                okt_ids *ids, int64_t *row_splits);

#endif
