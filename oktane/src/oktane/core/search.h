/* The best parse of a run of Hangul syllables. */
#ifndef OKT_SEARCH_H
#define OKT_SEARCH_H

#include "dictionary.h"

typedef struct okt_search okt_search;

okt_search *okt_search_new(okt_interrupt *interrupt); /* NULL: out of memory */
void okt_search_free(okt_search *search);

/* Appends the best parse of text[start:end], syllables all, to `tokens`. Runs of one-syllable nouns are collapsed;
 * stems of verbs and adjectives are filled in. With `follows_noun`, it goes on after a noun that ends at `start`. */
bool okt_parse_korean(okt_search *search, const okt_dictionary *dictionary, const okt_char *text, uint32_t start,
                      uint32_t end, bool follows_noun, okt_tokens *tokens);

#endif
