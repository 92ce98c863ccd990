/* The search for the best parse of a run of syllables. Source of the rules: KoreanTokenizer.scala (the search),
 * ParsedChunk.scala and TokenizerProfile.scala (the score), KoreanSubstantive.scala (names, numbers, collapsing).
 *
 * For every position in the run, the five best parses that end there are kept. A parse grows by one word of up to eight
 * syllables if the grammar allows its part of speech next and a list holds it; a noun needs no list. Scores are
 * float32, and every step rounds as in the source: order and type of each operation matter.
 */
#include "search.h"

#include <stdlib.h>
#include <string.h>

#include "grammar.h"
#include "prefetch.h"
#include "stemmer.h"

#define BEAM 5     /* TOP_N_PER_STATE */
#define LONGEST 8  /* MAX_TRACE_BACK */
#define WINDOW 9   /* positions that a step looks at: the LONGEST before it and its own; a ring */
#define AHEAD 16   /* positions whose words are asked for before the search begins */

/* ---- parses ---- */

/* The last token of a parse, and the rank of the parse before it at the place where it begins. */
typedef struct {
    uint8_t previous, length, pos;
    bool unknown;
} parse_step;

/* What the score of a parse, and of those that grow from it, depends on. */
typedef struct {
    float score;
    float frequency_sum; /* left fold over the tokens */
    int32_t tie_breaker; /* sum of the part-of-speech numbers */
    int32_t tokens, unknowns, words, unknown_length, determiners, exclamations;
    parse_step last;
    uint8_t node; /* grammar node of the last token */
    uint8_t first_pos;
    bool only_nouns, begins_with_suffix, josa_mismatched;
    bool noun_ha; /* 하 or 해 follows a first noun or verb prefix */
} parse;

/* The parses that end at one place. `order` numbers all items: the kept ones, best first, then spare ones. */
typedef struct {
    parse items[BEAM + 1];
    uint8_t order[BEAM + 1];
    int count, width; /* kept; to be kept at most */
} beam;

/* What is known of the syllables [start, start + length) before the search asks. */
typedef struct {
    grammar_nodes nodes; /* where they can stand */
    bool unknown;        /* as a noun */
    float frequency;
} word_facts;

struct okt_search {
    okt_interrupt *interrupt;
    beam beams[WINDOW];
    word_facts words[WINDOW][LONGEST + 1]; /* by first syllable modulo WINDOW, and length */
    OKT_ARRAY(parse_step) steps;          /* of all parses: BEAM for every position */
};

okt_search *okt_search_new(okt_interrupt *interrupt) {
    okt_search *search = calloc(1, sizeof *search);
    if (search) search->interrupt = interrupt;
    return search;
}

void okt_search_free(okt_search *search) {
    if (!search) return;
    free(search->steps.items);
    free(search);
}

/* ---- nouns that no list has (KoreanSubstantive.scala) ---- */

static bool is_digit_syllable(okt_char c) {
    switch (c) {
    case U'일': case U'이': case U'삼': case U'사': case U'오': case U'육': case U'칠': case U'팔': case U'구': case U'천':
    case U'백': case U'십': case U'해': case U'경': case U'조': case U'억': case U'만':
        return true;
    }
    return false;
}

/* May close a number. */
static bool is_unit(okt_char c) { return c == U'원' || c == U'배' || c == U'분' || c == U'초'; }

/* isName: a full or given name, or a family name of one or two syllables and a given name of two */
static bool is_name(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    if (okt_lookup(dictionary, word, length) & (OKT_FULL_NAME | OKT_GIVEN_NAME)) return true;
    if (length != 3 && length != 4) return false;
    return (okt_lookup(dictionary, word, length - 2) & OKT_FAMILY_NAME) &&
           (okt_lookup(dictionary, word + length - 2, 2) & OKT_GIVEN_NAME);
}

/* isKoreanNameVariation of a word that is no name itself: 우혀니 for 우현이 or 우현 */
static bool is_name_variation(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    if (length < 3 || length > 5) return false;
    okt_char last = word[length - 1], before = word[length - 2];
    if (vowel_of(last) != VOWEL_I || coda_of(last) != 0 || coda_of(before) != 0) return false;
    int coda = coda_of_onset(onset_of(last));
    if (coda < 0 || onset_of(last) == ONSET_IEUNG) return false;
    okt_char recovered[5];
    memcpy(recovered, word, length * sizeof *word);
    recovered[length - 2] = before + (okt_char)coda;
    recovered[length - 1] = U'이';
    return is_name(dictionary, recovered, length) || is_name(dictionary, recovered, length - 1);
}

/* ---- the words of the run ---- */

/* A noun that no list has and that is no number, name or variation of a name. `lists` are those of its prefixes by
 * length. A name that stands in a list of names stands among the nouns, too: only compound ones are left. */
static bool is_unknown(const okt_dictionary *dictionary, const okt_char *noun, uint32_t length, const okt_lists *lists,
                       bool is_number) {
    if (lists[length] & OKT_LIST(OKT_NOUN) || is_number) return false;
    if ((length == 3 || length == 4) && lists[length - 2] & OKT_FAMILY_NAME &&
        okt_lookup(dictionary, noun + length - 2, 2) & OKT_GIVEN_NAME)
        return false;
    return !is_name_variation(dictionary, noun, length);
}

/* Walks the trie from `start`; fills in the words of every length up to the run's end or LONGEST. */
static void find_words(const okt_dictionary *dictionary, const okt_char *text, uint32_t start, uint32_t end,
                       word_facts *words) {
    const okt_char *syllables = text + start;
    uint32_t longest = end - start < LONGEST ? end - start : LONGEST;
    uint32_t at = OKT_ROOT;
    okt_lists lists[LONGEST + 1] = {0};
    bool digits_before = true;
    for (uint32_t length = 1; length <= longest; length++) {
        okt_char last = syllables[length - 1];
        word_facts w = {.nodes = NODE(WORD_NOUN), .unknown = true, .frequency = 0};
        if (at != OKT_NO_NODE) at = okt_child(dictionary, at, last);
        if (at != OKT_NO_NODE) {
            const okt_value *value = okt_value_of(dictionary, at);
            lists[length] = value->lists;
            w.nodes |= word_nodes_of(value->lists);
            w.frequency = value->frequency;
        }
        bool is_digit = is_digit_syllable(last);
        w.unknown = is_unknown(dictionary, syllables, length, lists, digits_before && (is_digit || is_unit(last)));
        digits_before = digits_before && is_digit;
        words[length] = w;
    }
}

/* ---- the score (ParsedChunk.scala) ---- */

/* The weights, as TokenizerProfile.scala names them. */
#define TOKEN_COUNT 0.18f
#define UNKNOWN 0.3f
#define WORD_COUNT 0.3f
#define FREQ 0.2f
#define UNKNOWN_COVERAGE 0.5f
#define EXACT_MATCH 0.5f
#define ALL_NOUN 0.1f
#define DETERMINER_POS_COUNT -0.01f
#define EXCLAMATION_POS_COUNT 0.01f
#define INITIAL_POST_POSITION 0.2f
#define HA_VERB 0.3f
#define PREFERRED_PATTERN 0.6f
#define JOSA_UNMATCHED_PENALTY 3.0f

static inline float score_of(const parse *p, bool is_noun_then_josa) {
    float score = (float)p->tokens * TOKEN_COUNT;
    score += (float)p->unknowns * UNKNOWN;
    score += (float)p->words * WORD_COUNT;
    score += (float)p->unknown_length * UNKNOWN_COVERAGE;
    score += p->frequency_sum / (float)p->tokens * FREQ;
    score += p->tokens != 1 ? EXACT_MATCH : 0.0f;
    score += p->only_nouns ? 0.0f : ALL_NOUN;
    score += is_noun_then_josa ? 0.0f : PREFERRED_PATTERN;
    score += (float)p->determiners * DETERMINER_POS_COUNT;
    score += (float)p->exclamations * EXCLAMATION_POS_COUNT;
    score += p->begins_with_suffix ? INITIAL_POST_POSITION : 0.0f;
    score += p->noun_ha ? 0.0f : HA_VERB;
    score += p->josa_mismatched ? JOSA_UNMATCHED_PENALTY : 0.0f;
    return score;
}

/* josaMismatched of a noun that ends in `before` and the particle [particle, particle + length) */
static bool is_mismatched(okt_char before, const okt_char *particle, uint32_t length) {
    okt_char c = particle[0];
    if (!is_syllable(before)) return false; /* only a user's noun ends so */
    if (coda_of(before) != 0)
        return (coda_of(before) != CODA_RIEUL && c == U'로') || (length == 1 && (c == U'는' || c == U'를' || c == U'다'));
    return c == U'으' || (length == 1 && (c == U'은' || c == U'을' || c == U'이'));
}

static bool is_suffix(uint8_t pos) {
    return pos == OKT_SUFFIX || pos == OKT_EOMI || pos == OKT_JOSA || pos == OKT_PRE_EOMI;
}

/* `before` with one word more, at a grammar node; `begins`: the word begins anew in the grammar. */
static inline parse extended_parse(const parse *before, const word_facts *w, const okt_char *text, uint32_t start,
                                   uint8_t length, int rank, unsigned node, bool begins) {
    uint8_t pos = word_grammar[node].takes;
    bool noun = pos == OKT_NOUN;
    bool unknown = noun && w->unknown;
    bool noun_then_josa = before->last.pos == OKT_NOUN && pos == OKT_JOSA;
    parse p = {
        .frequency_sum = before->frequency_sum + (noun ? 1.0f - w->frequency : 1.0f),
        .tie_breaker = before->tie_breaker + pos,
        .tokens = before->tokens + 1,
        .unknowns = before->unknowns + unknown,
        .words = before->words + begins,
        .unknown_length = before->unknown_length + (unknown ? length : 0),
        .determiners = before->determiners + (pos == OKT_DETERMINER),
        .exclamations = before->exclamations + (pos == OKT_EXCLAMATION),
        .last = {.previous = (uint8_t)rank, .length = length, .pos = pos, .unknown = unknown},
        .node = (uint8_t)node,
        .first_pos = before->first_pos,
        .only_nouns = before->only_nouns && noun,
        .begins_with_suffix = before->begins_with_suffix,
        .josa_mismatched = before->josa_mismatched ||
                           (noun_then_josa && is_mismatched(text[start - 1], text + start, length)),
        .noun_ha = before->noun_ha,
    };
    if (p.tokens == 1) {
        p.first_pos = pos;
        p.begins_with_suffix = is_suffix(pos);
    } else if (p.tokens == 2) {
        p.noun_ha = (p.first_pos == OKT_NOUN || p.first_pos == OKT_VERB_PREFIX) && pos == OKT_VERB &&
                    (text[start] == U'하' || text[start] == U'해');
    }
    p.score = score_of(&p, p.tokens == 2 && noun_then_josa);
    return p;
}

/* ---- the search (KoreanTokenizer.findTopCandidates) ---- */

static const parse *ranked(const beam *b, int rank) { return &b->items[b->order[rank]]; }

static void clear_beam(beam *b, int width) {
    b->count = 0;
    b->width = width;
    for (uint8_t i = 0; i <= BEAM; i++) b->order[i] = i;
}

/* Keeps a parse if it is good enough, after its equals. */
static inline void keep_parse(beam *best, const parse *p) {
    int rank = best->count;
    while (rank > 0) {
        const parse *other = ranked(best, rank - 1);
        if (other->score < p->score || (other->score == p->score && other->tie_breaker <= p->tie_breaker)) break;
        rank--;
    }
    if (rank == best->width) return;
    uint8_t spare = best->order[best->count];
    for (int i = best->count; i > rank; i--) best->order[i] = best->order[i - 1];
    best->order[rank] = spare;
    best->items[spare] = *p;
    if (best->count < best->width) best->count++;
}

/* Parses that are sure to be dropped are not even made: most of the time would go into them. The bounds below say what
 * one word more costs at least. Its token costs TOKEN_COUNT, and may be a determiner. The mean of n frequencies, each
 * from 0 to 1, falls by 1 / (n + 1) at most. The second token costs EXACT_MATCH, and may save PREFERRED_PATTERN or
 * HA_VERB if it is a particle or a verb. The slack, and the factor on the score, stand for rounding. */
#define SLACK 0.003f
#define GROWTH_FROM_ONE_TOKEN (TOKEN_COUNT + DETERMINER_POS_COUNT - FREQ / 2 + EXACT_MATCH - SLACK)
#define GROWTH_FROM_MORE_TOKENS (TOKEN_COUNT + DETERMINER_POS_COUNT - FREQ / 3 - SLACK)

static float least_growth(const parse *p, grammar_nodes nodes) {
    if (p->tokens > 1) return GROWTH_FROM_MORE_TOKENS;
    bool may_save = nodes & (NODE(WORD_VERB) | NODE(WORD_JOSA) | NODE(WORD_JOSA_AFTER_NOUN));
    return GROWTH_FROM_ONE_TOKEN - (may_save ? PREFERRED_PATTERN + HA_VERB : 0.0f);
}

static bool is_full_of_better(const beam *best, const parse *p, float growth) {
    return best->count == best->width && p->score * 0.99999f + growth > ranked(best, best->width - 1)->score;
}

/* Adds to `best` the parses `before` with the word text[start:end] more. */
static inline void extend_parses(const beam *before, const word_facts *w, const okt_char *text, uint32_t start,
                                 uint32_t end, beam *best) {
    uint8_t length = (uint8_t)(end - start);
    bool only_noun = w->nodes == NODE(WORD_NOUN);
    float unknown_noun = only_noun && w->unknown ? UNKNOWN + UNKNOWN_COVERAGE * (float)length : 0.0f;
    for (int rank = 0; rank < before->count; rank++) {
        const parse *p = ranked(before, rank);
        /* Parses come best first: none after this one can do better. */
        if (only_noun && start && is_full_of_better(best, p, GROWTH_FROM_MORE_TOKENS + unknown_noun)) return;
        grammar_nodes next = start == 0 ? WORD_STARTS : word_grammar[p->node].next;
        grammar_nodes anew = start != 0 && word_grammar[p->node].ends ? WORD_STARTS : 0;
        for (int begins = 0; begins < 2; begins++) {
            grammar_nodes nodes = (begins ? anew : next) & w->nodes;
            float growth = least_growth(p, nodes) + unknown_noun + (begins ? WORD_COUNT : 0.0f);
            if (!nodes || (start && is_full_of_better(best, p, growth))) continue;
            for (; nodes; nodes &= nodes - 1) {
                parse grown = extended_parse(p, w, text, start, length, rank, first_node(nodes), begins);
                keep_parse(best, &grown);
            }
        }
    }
}

/* With `follows_noun`, the first character is the last one of a noun, and stands for it. */
static bool find_parses(const okt_dictionary *dictionary, okt_search *search, const okt_char *text, uint32_t length,
                        bool follows_noun) {
    static const parse nothing = {.words = 1, .only_nouns = true, .last.pos = OKT_UNKNOWN};
    static const word_facts known = {.nodes = NODE(WORD_NOUN)};
    if (!OKT_RESERVE(&search->steps, ((size_t)length + 1) * BEAM)) return false;
    clear_beam(&search->beams[0], BEAM);
    search->beams[0].items[0] = nothing;
    search->beams[0].count = 1;
    if (follows_noun) {
        parse noun = extended_parse(&nothing, &known, text, 0, 1, 0, WORD_NOUN, false);
        clear_beam(&search->beams[1], BEAM);
        keep_parse(&search->beams[1], &noun);
        search->beams[0].count = 0;
    }
    for (uint32_t end = 1 + follows_noun; end <= length; end++) {
        if (!okt_goes_on(search->interrupt, 1)) return false;
        find_words(dictionary, text, end - 1, length, search->words[(end - 1) % WINDOW]);
        beam *best = &search->beams[end % WINDOW];
        clear_beam(best, end == length ? 1 : BEAM); /* of whole parses, only the best is asked for */
        uint32_t first = end > LONGEST ? end - LONGEST : 0;
        for (uint32_t start = end; start-- > first;)
            extend_parses(&search->beams[start % WINDOW], &search->words[start % WINDOW][end - start], text, start, end,
                          best);
        for (int rank = 0; rank < best->count; rank++)
            search->steps.items[(size_t)end * BEAM + (size_t)rank] = ranked(best, rank)->last;
    }
    return true;
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

bool okt_parse_korean(okt_search *search, const okt_dictionary *dictionary, const okt_char *text, uint32_t start,
                      uint32_t end, bool follows_noun, okt_tokens *tokens) {
    uint32_t length = end - start + follows_noun;
    size_t first = tokens->count;
    /* Most of a walk through the trie is waiting for memory: ask for the second node of every walk now. */
    for (uint32_t i = start; i + 1 < end && i < start + AHEAD; i++) {
        uint32_t node = okt_child(dictionary, OKT_ROOT, text[i]);
        if (node != OKT_NO_NODE)
            OKT_PREFETCH(&dictionary->nodes[dictionary->nodes[node].base + dictionary->codes[text[i + 1] - HANGUL_FIRST]]);
    }
    okt_token whole = {.start = start, .end = end, .pos = OKT_NOUN, .unknown = true, .stem = OKT_NO_STEM};
    if (!OKT_RESERVE(tokens, first + length)) return false;
    if (!follows_noun && match_directly(dictionary, text + start, length, &whole.pos)) {
        whole.unknown = false;
        whole.stem = okt_stem_of(dictionary, text, &whole);
        tokens->items[tokens->count++] = whole;
        return true;
    }
    if (!find_parses(dictionary, search, text + start - follows_noun, length, follows_noun)) return false;
    const beam *best = &search->beams[length % WINDOW];
    if (best->count == 0) {
        tokens->items[tokens->count++] = whole;
        return true;
    }
    /* Read the steps from the last to the first, then turn them round. */
    unsigned rank = 0;
    for (uint32_t token_end = end; token_end > start;) {
        parse_step s = search->steps.items[(size_t)(token_end - start + follows_noun) * BEAM + rank];
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
    return true;
}
