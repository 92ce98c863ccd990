/* Normalizing colloquial spelling: 잇엇다 to 있었다. */
#ifndef OKT_NORMALIZER_H
#define OKT_NORMALIZER_H

#include "tokenizer.h"

typedef struct okt_normalizer okt_normalizer;

okt_normalizer *okt_normalizer_new(okt_interrupt *interrupt); /* NULL: out of memory */
void okt_normalizer_free(okt_normalizer *normalizer);

/* Replaces `normalized` by the normal form of `text`, and `origins` by one span for each character of it: where in
 * `text` it came from (a kept character: itself; one that stands for others: all of those). Origins run upward:
 * neither start nor end ever falls from one character to the next. */
bool okt_normalize(okt_normalizer *normalizer, okt_tokenizer *tokenizer, const okt_dictionary *dictionary,
                   const okt_char *text, size_t length, okt_chars *normalized, okt_spans *origins);

#endif
