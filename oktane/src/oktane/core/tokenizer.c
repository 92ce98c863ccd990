/* A whole text: chunks, the parse of each Korean one, and predicates joined with their endings. Source of the rules:
 * KoreanTokenizer.scala (tokenize). */
#include "tokenizer.h"

#include <stdlib.h>

#include "chunker.h"
#include "search.h"
#include "stemmer.h"

struct okt_tokenizer {
    okt_chunker *chunker;
    okt_search *search;
    okt_tokens chunks;
};

okt_tokenizer *okt_tokenizer_new(okt_interrupt *interrupt) {
    okt_tokenizer *tokenizer = calloc(1, sizeof *tokenizer);
    if (!tokenizer) return NULL;
    tokenizer->chunker = okt_chunker_new(interrupt);
    tokenizer->search = okt_search_new(interrupt);
    if (tokenizer->chunker && tokenizer->search) return tokenizer;
    okt_tokenizer_free(tokenizer);
    return NULL;
}

void okt_tokenizer_free(okt_tokenizer *tokenizer) {
    if (!tokenizer) return;
    okt_chunker_free(tokenizer->chunker);
    okt_search_free(tokenizer->search);
    free(tokenizer->chunks.items);
    free(tokenizer);
}

bool okt_tokenize(okt_tokenizer *tokenizer, const okt_dictionary *dictionary, const okt_char *text, size_t length,
                  okt_tokens *tokens) {
    okt_tokens *chunks = &tokenizer->chunks;
    if (!okt_chunk(tokenizer->chunker, dictionary, text, length, chunks)) return false;
    tokens->count = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        const okt_token *chunk = &chunks->items[i];
        /* No chunk but a fixed word is a noun. A particle may follow it. */
        bool follows_noun = i > 0 && chunks->items[i - 1].pos == OKT_NOUN;
        bool done = chunk->pos != OKT_KOREAN ? OKT_APPEND(tokens, *chunk)
                    : okt_parse_korean(tokenizer->search, dictionary, text, chunk->start, chunk->end, follows_noun, tokens);
        if (!done) return false;
    }
    okt_join_endings(tokens);
    return true;
}
