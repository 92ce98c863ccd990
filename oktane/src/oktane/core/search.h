/* The best parse of one run of Hangul syllables (search.c). */
#ifndef OKT_SEARCH_H
#define OKT_SEARCH_H

#include "dictionary.h"

/* Appends the best parse of text[start:end], syllables all, to `tokens`. Runs of one-syllable nouns are collapsed;
 * stems of verbs and adjectives are filled in. */
int okt_parse_korean(const okt_dictionary *dictionary, okt_workspace *workspace, const okt_char *text, uint32_t start,
                     uint32_t end, okt_tokens *tokens);

#endif
