/* Stems, and predicates joined with their endings. Source of the rules: KoreanStemmer.scala. */
#include "stemmer.h"

static bool is_predicate(const okt_token *token) { return token->pos == OKT_VERB || token->pos == OKT_ADJECTIVE; }
static bool is_ending(const okt_token *token) { return token->pos == OKT_EOMI || token->pos == OKT_PRE_EOMI; }

uint32_t okt_stem_of(const okt_dictionary *dictionary, const okt_char *text, const okt_token *token) {
    if (!is_predicate(token)) return OKT_NO_STEM;
    uint32_t node = okt_find(dictionary, text + token->start, token->end - token->start);
    return node == OKT_NO_NODE ? OKT_NO_STEM : okt_value_of(dictionary, node)->stems[token->pos == OKT_ADJECTIVE];
}

void okt_join_endings(okt_tokens *tokens) {
    size_t kept = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        okt_token *token = &tokens->items[i], *before = kept ? &tokens->items[kept - 1] : NULL;
        if (before && is_ending(token) && is_predicate(before)) {
            before->end = token->end;
        } else {
            tokens->items[kept++] = *token;
        }
    }
    tokens->count = kept;
}
