/* A whole text: chunks, the parse of each Korean one, and predicates joined with their endings. Source of the rules:
 * KoreanTokenizer.scala (tokenize) and, in stemmer.c, KoreanStemmer.scala. */
#include <stdlib.h>
#include <string.h>

#include "chunker.h"
#include "search.h"
#include "stemmer.h"

int okt_reserve(void *items, size_t *capacity, size_t count, size_t item_size) {
    if (count <= *capacity) return OKT_OK;
    size_t larger = *capacity < 16 ? 16 : *capacity;
    while (larger < count) {
        if (larger > SIZE_MAX / 2 / item_size) return OKT_NO_MEMORY;
        larger *= 2;
    }
    void *grown;
    memcpy(&grown, items, sizeof grown); /* the pointer's type is not void *, and must not be read as if it were */
    grown = realloc(grown, larger * item_size);
    if (!grown) return OKT_NO_MEMORY;
    memcpy(items, &grown, sizeof grown);
    *capacity = larger;
    return OKT_OK;
}

okt_workspace *okt_workspace_new(void) { return calloc(1, sizeof(okt_workspace)); }

void okt_workspace_free(okt_workspace *workspace) {
    if (!workspace) return;
    okt_search_free(workspace->search);
    okt_chunks_free(workspace->chunks);
    okt_normalizer_free(workspace->normalizer);
    okt_phraser_free(workspace->phraser);
    free(workspace->chunked.items);
    free(workspace);
}

int okt_tokenize(const okt_dictionary *dictionary, okt_workspace *workspace, const okt_char *text, size_t length,
                 okt_tokens *tokens) {
    okt_tokens *chunks = &workspace->chunked;
    if (okt_chunk(workspace, text, length, chunks) != OKT_OK) return OKT_NO_MEMORY;
    tokens->count = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        const okt_token *chunk = &chunks->items[i];
        if (chunk->pos == OKT_KOREAN) {
            if (okt_parse_korean(dictionary, workspace, text, chunk->start, chunk->end, tokens) != OKT_OK)
                return OKT_NO_MEMORY;
        } else {
            if (OKT_RESERVE(tokens, tokens->count + 1) != OKT_OK) return OKT_NO_MEMORY;
            tokens->items[tokens->count++] = *chunk;
        }
    }
    okt_join_endings(tokens);
    return OKT_OK;
}
