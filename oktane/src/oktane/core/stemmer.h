/* Stems, and verbs and adjectives joined with their endings. */
#ifndef OKT_STEMMER_H
#define OKT_STEMMER_H

#include "dictionary.h"

/* The stem of a token, or OKT_NO_STEM if it is no verb or adjective. */
uint32_t okt_stem_of(const okt_dictionary *dictionary, const okt_char *text, const okt_token *token);

/* Joins every ending with the verb or adjective right before it, which keeps its stem. */
void okt_join_endings(okt_tokens *tokens);

#endif
