/* The search for the best parse of a run of syllables. Source of the rules: KoreanTokenizer.scala (the search),
 * KoreanPos.scala (the grammar), ParsedChunk.scala and TokenizerProfile.scala (the score), KoreanSubstantive.scala
 * (names, numbers, collapsing).
 *
 * For every place in the run, the five best parses that end there are kept. A parse grows by one word of up to eight
 * syllables if the grammar allows its part of speech next and a list holds it; a noun needs no list. Scores are
 * float32, and every step rounds as in the source: order and type of each operation matter.
 */
#include "search.h"
#include "stemmer.h"

#include <stdlib.h>
#include <string.h>

#define BEAM 5     /* TOP_N_PER_STATE */
#define LONGEST 8  /* MAX_TRACE_BACK */
#define WINDOW 9   /* places that a step looks at: the LONGEST before it and its own; a ring */

/* ---- the grammar ---- */

/* KoreanPos.getTrie of the sequences v*J1r*e0, D0m*N1s0j0, A1, E+, v*V1r*e0, C1, j1 as a table: the source's map has them
 * the other way round, and getTrie puts each before those it has. Nodes are numbered so that every list of next nodes
 * runs upward: a list is a bit mask. */
enum {
    PREFIX_OF_ADJECTIVE, ADJECTIVE, DETERMINER, MODIFIER, NOUN, ADVERB, EXCLAMATION, PREFIX_OF_VERB, VERB, CONJUNCTION,
    JOSA, PRE_EOMI, EOMI, SUFFIX, JOSA_AFTER_NOUN, GRAMMAR_NODES
};
#define NODE(n) (1u << (n))
#define START_NODES (NODE(PRE_EOMI) - 1)

static const struct {
    uint8_t pos;
    bool ends;     /* a word may end here */
    uint16_t next; /* a repeatable node comes first among its own next nodes */
} grammar[GRAMMAR_NODES] = {
    [JOSA] = {OKT_JOSA, true, 0},
    [CONJUNCTION] = {OKT_CONJUNCTION, true, 0},
    [PREFIX_OF_VERB] = {OKT_VERB_PREFIX, false, NODE(PREFIX_OF_VERB) | NODE(VERB)},
    [VERB] = {OKT_VERB, true, NODE(PRE_EOMI) | NODE(EOMI)},
    [EXCLAMATION] = {OKT_EXCLAMATION, true, NODE(EXCLAMATION)},
    [ADVERB] = {OKT_ADVERB, true, 0},
    [DETERMINER] = {OKT_DETERMINER, false, NODE(MODIFIER) | NODE(NOUN)},
    [MODIFIER] = {OKT_MODIFIER, false, NODE(MODIFIER) | NODE(NOUN)},
    [NOUN] = {OKT_NOUN, true, NODE(SUFFIX) | NODE(JOSA_AFTER_NOUN)},
    [PREFIX_OF_ADJECTIVE] = {OKT_VERB_PREFIX, false, NODE(PREFIX_OF_ADJECTIVE) | NODE(ADJECTIVE)},
    [ADJECTIVE] = {OKT_ADJECTIVE, true, NODE(PRE_EOMI) | NODE(EOMI)},
    [PRE_EOMI] = {OKT_PRE_EOMI, true, NODE(PRE_EOMI) | NODE(EOMI)},
    [EOMI] = {OKT_EOMI, true, 0},
    [SUFFIX] = {OKT_SUFFIX, true, NODE(JOSA_AFTER_NOUN)},
    [JOSA_AFTER_NOUN] = {OKT_JOSA, true, 0},
};

/* The grammar nodes that a word of these lists can stand at; a noun may be in no list. */
static uint32_t nodes_of_lists(okt_lists lists) {
    uint32_t nodes = NODE(NOUN);
    for (int node = 0; node < GRAMMAR_NODES; node++)
        if (lists & OKT_LIST(grammar[node].pos)) nodes |= NODE(node);
    return nodes;
}

/* ---- parses ---- */

/* What the score of a parse, and of those that grow from it, depends on. */
typedef struct {
    float score;
    float frequency_sum; /* left fold over the tokens */
    int32_t tie_breaker; /* sum of the part-of-speech numbers */
    int32_t tokens, words, unknowns, unknown_length, determiners, exclamations;
    uint8_t node;      /* grammar node of the last token */
    uint8_t first_pos;
    bool last_is_noun;
    bool only_nouns, begins_with_suffix, josa_mismatched;
    bool noun_ha;      /* 하 or 해 follows a first noun or verb prefix */
} parse;

/* The parses that end at one place, best first. */
typedef struct {
    parse items[BEAM];
    int count;
} beam;

/* The last token of a parse, and which of the beam before that token it grew from. */
typedef struct {
    uint8_t previous, length, pos;
    bool unknown;
} step;

/* What is known of the syllables [start, start + length) before the search asks. */
typedef struct {
    uint32_t node;  /* in the trie, or OKT_NO_NODE */
    uint16_t grammar_nodes;
    bool unknown;   /* as a noun */
    float frequency;
} word;

struct okt_search {
    beam beams[WINDOW];
    word words[WINDOW][LONGEST + 1]; /* by first syllable modulo WINDOW, and length */
    step *steps;                     /* of all parses: BEAM for every place */
    size_t capacity;
};

void okt_search_free(okt_search *search) {
    if (search) free(search->steps);
    free(search);
}

/* ---- nouns that no list has (KoreanSubstantive.scala) ---- */

static bool is_one_of(okt_char c, const okt_char *set, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (set[i] == c) return true;
    return false;
}

/* isKoreanNumber */
static bool is_number(const okt_char *word, uint32_t length) {
    static const okt_char digits[] = {0xC77C, 0xC774, 0xC0BC, 0xC0AC, 0xC624, 0xC721, 0xCE60, 0xD314, 0xAD6C, 0xCC9C,
                                      0xBC31, 0xC2ED, 0xD574, 0xACBD, 0xC870, 0xC5B5, 0xB9CC}; /* 일이삼사오육칠팔구천백십해경조억만 */
    static const okt_char units[] = {0xC6D0, 0xBC30, 0xBD84, 0xCD08}; /* 원배분초, only last */
    for (uint32_t i = 0; i < length; i++)
        if (!is_one_of(word[i], digits, sizeof digits / sizeof *digits) &&
            !(i == length - 1 && is_one_of(word[i], units, sizeof units / sizeof *units)))
            return false;
    return true;
}

/* isName */
static bool is_name(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    if (okt_lookup(dictionary, word, length) & (OKT_FULL_NAME | OKT_GIVEN_NAME)) return true;
    if (length != 3 && length != 4) return false;
    uint32_t family = length - 2;
    return (okt_lookup(dictionary, word, family) & OKT_FAMILY_NAME) &&
           (okt_lookup(dictionary, word + family, 2) & OKT_GIVEN_NAME);
}

/* isKoreanNameVariation of a word that is no name itself: 우혀니 for 우현이 or 우현 */
static bool is_name_variation(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    enum { IEUNG = 11, I = 20 };
    if (length < 3 || length > 5) return false;
    okt_char last = word[length - 1], before = word[length - 2];
    int coda = coda_of_onset(onset_of(last));
    if (coda < 0 || onset_of(last) == IEUNG || vowel_of(last) != I || coda_of(last) != 0 || coda_of(before) != 0)
        return false;
    okt_char recovered[5];
    memcpy(recovered, word, length * sizeof *word);
    recovered[length - 2] = before + (okt_char)coda;
    recovered[length - 1] = 0xC774; /* 이 */
    return is_name(dictionary, recovered, length) || is_name(dictionary, recovered, length - 1);
}

static bool is_unknown_noun(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    return !is_name(dictionary, word, length) && !is_number(word, length) &&
           !is_name_variation(dictionary, word, length);
}

/* ---- the words at one place ---- */

/* Walks the trie from `start`; words of every length up to the run's end or LONGEST. */
static void find_words(const okt_dictionary *dictionary, const okt_char *text, uint32_t start, uint32_t end,
                       word *words) {
    uint32_t node = OKT_ROOT;
    uint32_t longest = end - start < LONGEST ? end - start : LONGEST;
    for (uint32_t length = 1; length <= longest; length++) {
        if (node != OKT_NO_NODE) node = okt_child(dictionary, node, text[start + length - 1]);
        word w = {.node = node, .grammar_nodes = NODE(NOUN), .unknown = true, .frequency = 0};
        okt_lists lists = 0;
        if (node != OKT_NO_NODE) {
            lists = dictionary->nodes[node].lists;
            w.grammar_nodes = (uint16_t)nodes_of_lists(lists);
            w.frequency = dictionary->nodes[node].frequency;
        }
        w.unknown = !(lists & OKT_LIST(OKT_NOUN)) && is_unknown_noun(dictionary, text + start, length);
        words[length] = w;
    }
}

/* ---- the score (ParsedChunk.scala; weights of TokenizerProfile.scala) ---- */

static float score_of(const parse *p, bool noun_then_josa) {
    float score = (float)p->tokens * 0.18f;
    score += (float)p->unknowns * 0.3f;
    score += (float)p->words * 0.3f;
    score += (float)p->unknown_length * 0.5f;
    score += p->frequency_sum / (float)p->tokens * 0.2f;
    if (p->tokens != 1) score += 0.5f;
    if (!p->only_nouns) score += 0.1f;
    if (!(p->tokens == 2 && noun_then_josa)) score += 0.6f;
    score += (float)p->determiners * -0.01f;
    score += (float)p->exclamations * 0.01f;
    if (p->begins_with_suffix) score += 0.2f;
    if (!p->noun_ha) score += 0.3f;
    if (p->josa_mismatched) score += 3.0f;
    return score;
}

/* josaMismatched of a noun that ends in `before` and the particle [particle, particle + length) */
static bool is_mismatched(okt_char before, const okt_char *particle, uint32_t length) {
    enum { RIEUL = 8 };
    okt_char c = particle[0];
    if (coda_of(before) != 0)
        return (coda_of(before) != RIEUL && c == 0xB85C) ||                          /* 로 */
               (length == 1 && (c == 0xB294 || c == 0xB97C || c == 0xB2E4));         /* 는 를 다 */
    return c == 0xC73C || (length == 1 && (c == 0xC740 || c == 0xC744 || c == 0xC774)); /* 으; 은 을 이 */
}

/* `before` and one word more, at a grammar node; `begins` says that the word begins anew in the grammar. */
static parse grow(const parse *before, const word *w, const okt_char *text, uint32_t start, uint32_t length,
                  unsigned node, bool begins) {
    parse p = *before;
    uint8_t pos = grammar[node].pos;
    bool noun = pos == OKT_NOUN;
    bool unknown = noun && w->unknown;
    bool noun_then_josa = before->last_is_noun && pos == OKT_JOSA;
    if (p.tokens == 0) {
        p.first_pos = pos;
        p.begins_with_suffix = pos == OKT_SUFFIX || pos == OKT_EOMI || pos == OKT_JOSA || pos == OKT_PRE_EOMI;
    } else if (p.tokens == 1) {
        p.noun_ha = (p.first_pos == OKT_NOUN || p.first_pos == OKT_VERB_PREFIX) && pos == OKT_VERB &&
                    (text[start] == 0xD558 || text[start] == 0xD574); /* 하 해 */
    }
    p.tokens++;
    p.words += begins;
    p.unknowns += unknown;
    if (unknown) p.unknown_length += (int32_t)length;
    p.frequency_sum += noun ? 1.0f - w->frequency : 1.0f;
    p.only_nouns &= noun;
    p.determiners += pos == OKT_DETERMINER;
    p.exclamations += pos == OKT_EXCLAMATION;
    p.tie_breaker += pos;
    if (noun_then_josa && !p.josa_mismatched) p.josa_mismatched = is_mismatched(text[start - 1], text + start, length);
    p.last_is_noun = noun;
    p.node = (uint8_t)node;
    p.score = score_of(&p, noun_then_josa);
    return p;
}

/* ---- the search (KoreanTokenizer.findTopCandidates) ---- */

/* Where a new parse belongs among the best, after its equals; BEAM: nowhere. */
static int rank_of(const beam *best, const parse *p) {
    int rank = best->count;
    while (rank > 0) {
        const parse *other = &best->items[rank - 1];
        if (other->score < p->score || (other->score == p->score && other->tie_breaker <= p->tie_breaker)) break;
        rank--;
    }
    return rank;
}

static void keep(beam *best, const parse *p, step *steps, step last) {
    int rank = rank_of(best, p);
    if (rank == BEAM) return;
    if (best->count < BEAM) best->count++;
    for (int i = best->count - 1; i > rank; i--) {
        best->items[i] = best->items[i - 1];
        steps[i] = steps[i - 1];
    }
    best->items[rank] = *p;
    steps[rank] = last;
}

static int reserve_steps(okt_search *search, size_t count) {
    return okt_reserve((void **)&search->steps, &search->capacity, count, sizeof *search->steps);
}

static int find_parses(const okt_dictionary *dictionary, okt_search *search, const okt_char *text, uint32_t length) {
    if (reserve_steps(search, ((size_t)length + 1) * BEAM) != OKT_OK) return OKT_NO_MEMORY;
    search->beams[0].count = 1;
    search->beams[0].items[0] = (parse){.words = 1, .only_nouns = true};
    for (uint32_t end = 1; end <= length; end++) {
        find_words(dictionary, text, end - 1, length, search->words[(end - 1) % WINDOW]);
        beam *best = &search->beams[end % WINDOW];
        best->count = 0;
        uint32_t first = end > LONGEST ? end - LONGEST : 0;
        for (uint32_t start = end; start-- > first;) {
            const beam *before = &search->beams[start % WINDOW];
            const word *w = &search->words[start % WINDOW][end - start];
            for (int i = 0; i < before->count; i++) {
                const parse *p = &before->items[i];
                step last = {.previous = (uint8_t)i, .length = (uint8_t)(end - start)};
                bool first_token = start == 0;
                uint32_t next = (first_token ? START_NODES : grammar[p->node].next) & w->grammar_nodes;
                uint32_t anew = first_token || !grammar[p->node].ends ? 0 : START_NODES & w->grammar_nodes;
                for (int begins = 0; begins < 2; begins++, next = anew)
                    for (unsigned node = 0; next; next >>= 1, node++) {
                        if (!(next & 1)) continue;
                        parse grown = grow(p, w, text, start, end - start, node, begins);
                        last.pos = grammar[node].pos;
                        last.unknown = last.pos == OKT_NOUN && w->unknown;
                        keep(best, &grown, search->steps + (size_t)end * BEAM, last);
                    }
            }
        }
    }
    return OKT_OK;
}

/* ---- the result ---- */

/* collapseNouns: a run of one-syllable nouns is one unknown noun. Works on tokens [first, count). */
static void collapse_nouns(okt_tokens *tokens, size_t first) {
    size_t kept = first;
    bool collapsing = false;
    for (size_t i = first; i < tokens->count; i++) {
        okt_token token = tokens->items[i];
        bool single = token.pos == OKT_NOUN && token.end - token.start == 1;
        if (single && collapsing) {
            tokens->items[kept - 1].end = token.end;
            tokens->items[kept - 1].unknown = true;
        } else {
            tokens->items[kept++] = token;
        }
        collapsing = single;
    }
    tokens->count = kept;
}

/* findDirectMatch: the lowest part of speech that has the whole run */
static bool match_directly(const okt_dictionary *dictionary, const okt_char *text, uint32_t length, uint8_t *pos) {
    okt_lists lists = okt_lookup(dictionary, text, length) & OKT_PARTS_OF_SPEECH;
    if (!lists) return false;
    for (*pos = 0; !(lists & OKT_LIST(*pos));) ++*pos;
    return true;
}

int okt_parse_korean(const okt_dictionary *dictionary, okt_workspace *workspace, const okt_char *text, uint32_t start,
                     uint32_t end, okt_tokens *tokens) {
    okt_search *search = workspace->search;
    if (!search) {
        search = workspace->search = calloc(1, sizeof *search);
        if (!search) return OKT_NO_MEMORY;
    }
    uint32_t length = end - start;
    size_t first = tokens->count;
    okt_token whole = {.start = start, .end = end, .pos = OKT_NOUN, .unknown = true, .stem = OKT_NO_STEM};
    if (OKT_RESERVE(tokens, first + length) != OKT_OK) return OKT_NO_MEMORY;
    if (match_directly(dictionary, text + start, length, &whole.pos)) {
        whole.unknown = false;
        whole.stem = okt_stem_of(dictionary, text, &whole);
        tokens->items[tokens->count++] = whole;
        return OKT_OK;
    }
    if (find_parses(dictionary, search, text + start, length) != OKT_OK) return OKT_NO_MEMORY;
    const beam *best = &search->beams[length % WINDOW];
    if (best->count == 0) {
        tokens->items[tokens->count++] = whole;
        return OKT_OK;
    }
    /* Read the steps from the last to the first, then turn them round. */
    unsigned rank = 0;
    for (uint32_t token_end = end; token_end > start;) {
        step s = search->steps[(size_t)(token_end - start) * BEAM + rank];
        okt_token token = {.start = token_end - s.length, .end = token_end, .pos = s.pos, .unknown = s.unknown};
        token.stem = okt_stem_of(dictionary, text, &token);
        tokens->items[tokens->count++] = token;
        token_end = token.start;
        rank = s.previous;
    }
    for (size_t i = first, j = tokens->count - 1; i < j; i++, j--) {
        okt_token token = tokens->items[i];
        tokens->items[i] = tokens->items[j];
        tokens->items[j] = token;
    }
    collapse_nouns(tokens, first);
    return OKT_OK;
}
