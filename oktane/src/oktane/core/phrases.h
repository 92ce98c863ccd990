/* Noun phrases. */
#ifndef OKT_PHRASES_H
#define OKT_PHRASES_H

#include "okt.h"

typedef struct okt_phraser okt_phraser;

okt_phraser *okt_phraser_new(okt_interrupt *interrupt); /* NULL: out of memory */
void okt_phraser_free(okt_phraser *phraser);

/* Replaces `phrases` by the noun phrases of a tokenized text, in the order that Okt gives them. */
bool okt_extract_phrases(okt_phraser *phraser, const okt_char *text, const okt_tokens *tokens, okt_spans *phrases);

#endif
