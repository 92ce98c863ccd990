/* Splitting a text into chunks of one kind. */
#ifndef OKT_CHUNKER_H
#define OKT_CHUNKER_H

#include "dictionary.h"

typedef struct okt_chunker okt_chunker;

okt_chunker *okt_chunker_new(okt_interrupt *interrupt); /* NULL: out of memory */
void okt_chunker_free(okt_chunker *chunker);

/* Replaces `chunks` by the chunks of the text, which cover it: OKT_KOREAN for what is to be parsed, otherwise what the
 * token will be. The dictionary's fixed words are chunks. */
bool okt_chunk(okt_chunker *chunker, const okt_dictionary *dictionary, const okt_char *text, size_t length,
               okt_tokens *chunks);

#endif
