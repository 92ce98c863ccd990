/* A whole text: chunks, the parse of each Korean one, and predicates joined with their endings. */
#ifndef OKT_TOKENIZER_H
#define OKT_TOKENIZER_H

#include "dictionary.h"

typedef struct okt_tokenizer okt_tokenizer;

okt_tokenizer *okt_tokenizer_new(okt_interrupt *interrupt); /* NULL: out of memory */
void okt_tokenizer_free(okt_tokenizer *tokenizer);

/* Replaces `tokens` by those of the text, spaces (OKT_SPACE) and stems included. `text` must not move meanwhile. */
bool okt_tokenize(okt_tokenizer *tokenizer, const okt_dictionary *dictionary, const okt_char *text, size_t length,
                  okt_tokens *tokens);

#endif
