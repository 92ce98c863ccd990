/* The two grammars of parts of speech, as tables: of the words that a run of syllables is parsed into, and of the
 * tokens that are one phrase. Sources of the rules: KoreanPos.scala, KoreanPhraseExtractor.scala.
 *
 * A grammar is an automaton. Its nodes take one part of speech each; a set of nodes is a bit mask, and iterates upward.
 */
#ifndef OKT_GRAMMAR_H
#define OKT_GRAMMAR_H

#include "okt.h"
#if defined(_MSC_VER)
#include <intrin.h>
#endif

typedef uint16_t grammar_nodes;
#define NODE(n) ((grammar_nodes)(1u << (n)))

typedef struct {
    uint8_t takes;      /* part of speech */
    bool ends;          /* a word may end here */
    uint8_t gives;      /* the part of speech of the phrase that ends here */
    grammar_nodes next; /* may follow */
} grammar_node;

/* The first of a set that isn't empty. */
static inline unsigned first_node(uint32_t nodes) {
#if defined(_MSC_VER)
    unsigned long bit;
    _BitScanForward(&bit, nodes);
    return bit;
#else
    return (unsigned)__builtin_ctz(nodes);
#endif
}

/* ---- words: KoreanPos.getTrie of v*J1r*e0, v*V1r*e0, D0m*N1s0j0, A1, E+, C1 and j1 (KoreanTokenizer.scala) ---- */

/* The source's map has the sequences in another order, and getTrie puts each before those it has. The nodes are
 * numbered so that every list of next nodes runs upward. A repeatable node comes first among its own next nodes. */
enum {
    WORD_PREFIX_OF_ADJECTIVE, WORD_ADJECTIVE, WORD_DETERMINER, WORD_MODIFIER, WORD_NOUN, WORD_ADVERB, WORD_EXCLAMATION,
    WORD_PREFIX_OF_VERB, WORD_VERB, WORD_CONJUNCTION, WORD_JOSA, WORD_PRE_EOMI, WORD_EOMI, WORD_SUFFIX,
    WORD_JOSA_AFTER_NOUN
};
#define WORD_STARTS ((grammar_nodes)(NODE(WORD_PRE_EOMI) - 1))

static const grammar_node word_grammar[] = {
    [WORD_PREFIX_OF_ADJECTIVE] = {OKT_VERB_PREFIX, .next = NODE(WORD_PREFIX_OF_ADJECTIVE) | NODE(WORD_ADJECTIVE)},
    [WORD_ADJECTIVE] = {OKT_ADJECTIVE, .ends = true, .next = NODE(WORD_PRE_EOMI) | NODE(WORD_EOMI)},
    [WORD_DETERMINER] = {OKT_DETERMINER, .next = NODE(WORD_MODIFIER) | NODE(WORD_NOUN)},
    [WORD_MODIFIER] = {OKT_MODIFIER, .next = NODE(WORD_MODIFIER) | NODE(WORD_NOUN)},
    [WORD_NOUN] = {OKT_NOUN, .ends = true, .next = NODE(WORD_SUFFIX) | NODE(WORD_JOSA_AFTER_NOUN)},
    [WORD_ADVERB] = {OKT_ADVERB, .ends = true},
    [WORD_EXCLAMATION] = {OKT_EXCLAMATION, .ends = true, .next = NODE(WORD_EXCLAMATION)},
    [WORD_PREFIX_OF_VERB] = {OKT_VERB_PREFIX, .next = NODE(WORD_PREFIX_OF_VERB) | NODE(WORD_VERB)},
    [WORD_VERB] = {OKT_VERB, .ends = true, .next = NODE(WORD_PRE_EOMI) | NODE(WORD_EOMI)},
    [WORD_CONJUNCTION] = {OKT_CONJUNCTION, .ends = true},
    [WORD_JOSA] = {OKT_JOSA, .ends = true},
    [WORD_PRE_EOMI] = {OKT_PRE_EOMI, .ends = true, .next = NODE(WORD_PRE_EOMI) | NODE(WORD_EOMI)},
    [WORD_EOMI] = {OKT_EOMI, .ends = true},
    [WORD_SUFFIX] = {OKT_SUFFIX, .ends = true, .next = NODE(WORD_JOSA_AFTER_NOUN)},
    [WORD_JOSA_AFTER_NOUN] = {OKT_JOSA, .ends = true},
};

/* The nodes that a word of these lists can stand at. */
static inline grammar_nodes word_nodes_of(okt_lists lists) {
    static const grammar_nodes nodes_of_pos[] = {
        [OKT_NOUN] = NODE(WORD_NOUN),
        [OKT_VERB] = NODE(WORD_VERB),
        [OKT_ADJECTIVE] = NODE(WORD_ADJECTIVE),
        [OKT_ADVERB] = NODE(WORD_ADVERB),
        [OKT_DETERMINER] = NODE(WORD_DETERMINER),
        [OKT_EXCLAMATION] = NODE(WORD_EXCLAMATION),
        [OKT_JOSA] = NODE(WORD_JOSA) | NODE(WORD_JOSA_AFTER_NOUN),
        [OKT_EOMI] = NODE(WORD_EOMI),
        [OKT_PRE_EOMI] = NODE(WORD_PRE_EOMI),
        [OKT_CONJUNCTION] = NODE(WORD_CONJUNCTION),
        [OKT_MODIFIER] = NODE(WORD_MODIFIER),
        [OKT_VERB_PREFIX] = NODE(WORD_PREFIX_OF_VERB) | NODE(WORD_PREFIX_OF_ADJECTIVE),
        [OKT_SUFFIX] = NODE(WORD_SUFFIX),
    };
    grammar_nodes nodes = 0;
    for (lists &= OKT_PARTS_OF_SPEECH; lists; lists &= lists - 1) nodes |= nodes_of_pos[first_node(lists)];
    return nodes;
}

/* ---- phrases: COLLAPSING_RULES, D0m*N1s0, n*a+n*, n+, v*V1r*e0 and v*J1r*e0 (KoreanPhraseExtractor.scala) ---- */

/* The rules are in the order of the source's hash map: of two that start alike (n, v) only the first is ever followed,
 * so n+ is never used and a verb prefix only joins adjectives. */
enum {
    PHRASE_NUMBER, PHRASE_ALPHA, PHRASE_NUMBER_AFTER_ALPHA, PHRASE_VERB_PREFIX, PHRASE_ADJECTIVE,
    PHRASE_ADJECTIVE_PRE_EOMI, PHRASE_ADJECTIVE_EOMI, PHRASE_VERB, PHRASE_VERB_PRE_EOMI, PHRASE_VERB_EOMI,
    PHRASE_DETERMINER, PHRASE_MODIFIER, PHRASE_NOUN, PHRASE_SUFFIX
};
#define PHRASE_STARTS \
    (NODE(PHRASE_NUMBER) | NODE(PHRASE_ALPHA) | NODE(PHRASE_VERB_PREFIX) | NODE(PHRASE_ADJECTIVE) | \
     NODE(PHRASE_VERB) | NODE(PHRASE_DETERMINER) | NODE(PHRASE_MODIFIER) | NODE(PHRASE_NOUN))

#define ADJECTIVE_ENDINGS (NODE(PHRASE_ADJECTIVE_PRE_EOMI) | NODE(PHRASE_ADJECTIVE_EOMI))
#define VERB_ENDINGS (NODE(PHRASE_VERB_PRE_EOMI) | NODE(PHRASE_VERB_EOMI))
static const grammar_node phrase_grammar[] = {
    [PHRASE_NUMBER] = {OKT_NUMBER, .gives = OKT_NOUN, .next = NODE(PHRASE_NUMBER) | NODE(PHRASE_ALPHA)},
    [PHRASE_ALPHA] = {OKT_ALPHA, .gives = OKT_NOUN, .next = NODE(PHRASE_ALPHA) | NODE(PHRASE_NUMBER_AFTER_ALPHA)},
    [PHRASE_NUMBER_AFTER_ALPHA] = {OKT_NUMBER, .gives = OKT_NOUN, .next = NODE(PHRASE_NUMBER_AFTER_ALPHA)},
    [PHRASE_VERB_PREFIX] =
        {OKT_VERB_PREFIX, .gives = OKT_NOUN, .next = NODE(PHRASE_VERB_PREFIX) | NODE(PHRASE_ADJECTIVE)},
    [PHRASE_ADJECTIVE] = {OKT_ADJECTIVE, .gives = OKT_ADJECTIVE, .next = ADJECTIVE_ENDINGS},
    [PHRASE_ADJECTIVE_PRE_EOMI] = {OKT_PRE_EOMI, .gives = OKT_ADJECTIVE, .next = ADJECTIVE_ENDINGS},
    [PHRASE_ADJECTIVE_EOMI] = {OKT_EOMI, .gives = OKT_ADJECTIVE},
    [PHRASE_VERB] = {OKT_VERB, .gives = OKT_VERB, .next = VERB_ENDINGS},
    [PHRASE_VERB_PRE_EOMI] = {OKT_PRE_EOMI, .gives = OKT_VERB, .next = VERB_ENDINGS},
    [PHRASE_VERB_EOMI] = {OKT_EOMI, .gives = OKT_VERB},
    [PHRASE_DETERMINER] = {OKT_DETERMINER, .gives = OKT_NOUN, .next = NODE(PHRASE_MODIFIER) | NODE(PHRASE_NOUN)},
    [PHRASE_MODIFIER] = {OKT_MODIFIER, .gives = OKT_NOUN, .next = NODE(PHRASE_MODIFIER) | NODE(PHRASE_NOUN)},
    [PHRASE_NOUN] = {OKT_NOUN, .gives = OKT_NOUN, .next = NODE(PHRASE_SUFFIX)},
    [PHRASE_SUFFIX] = {OKT_SUFFIX, .gives = OKT_NOUN},
};

/* The first of a set of nodes that takes a part of speech, or NULL. */
static inline const grammar_node *phrase_node_for(uint8_t pos, grammar_nodes among) {
    for (; among; among &= among - 1) {
        const grammar_node *node = &phrase_grammar[first_node(among)];
        if (node->takes == pos) return node;
    }
    return NULL;
}

#endif
