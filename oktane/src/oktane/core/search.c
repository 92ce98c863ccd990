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
#if defined(_MSC_VER)
#include <intrin.h>
#define PREFETCH(address) ((void)(address))
#else
#define PREFETCH(address) __builtin_prefetch(address)
#endif

#define BEAM 5     /* TOP_N_PER_STATE */
#define LONGEST 8  /* MAX_TRACE_BACK */
#define WINDOW 9   /* places that a step looks at: the LONGEST before it and its own; a ring */
#define AHEAD 16   /* places whose words are asked for before the search begins */

/* ---- the grammar ---- */

/* KoreanPos.getTrie of the sequences v*J1r*e0, D0m*N1s0j0, A1, E+, v*V1r*e0, C1, j1 as a table: the source's map has
 * them the other way round, and getTrie puts each before those it has. Nodes are numbered so that every list of next
 * nodes runs upward: a list is a bit mask. */
enum {
    PREFIX_OF_ADJECTIVE, ADJECTIVE, DETERMINER, MODIFIER, NOUN, ADVERB, EXCLAMATION, PREFIX_OF_VERB, VERB, CONJUNCTION,
    JOSA, PRE_EOMI, EOMI, SUFFIX, JOSA_AFTER_NOUN, GRAMMAR_NODES
};
#define NODE(n) (1u << (n))
#define START_NODES (NODE(PRE_EOMI) - 1)

static unsigned lowest_bit(uint32_t set) {
#if defined(_MSC_VER)
    unsigned long bit;
    _BitScanForward(&bit, set);
    return bit;
#else
    return (unsigned)__builtin_ctz(set);
#endif
}

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

/* The grammar nodes that a word of these lists can stand at. */
static uint32_t nodes_of_lists(okt_lists lists) {
    static const uint16_t nodes_of_pos[] = {
        [OKT_NOUN] = NODE(NOUN),
        [OKT_VERB] = NODE(VERB),
        [OKT_ADJECTIVE] = NODE(ADJECTIVE),
        [OKT_ADVERB] = NODE(ADVERB),
        [OKT_DETERMINER] = NODE(DETERMINER),
        [OKT_EXCLAMATION] = NODE(EXCLAMATION),
        [OKT_JOSA] = NODE(JOSA) | NODE(JOSA_AFTER_NOUN),
        [OKT_EOMI] = NODE(EOMI),
        [OKT_PRE_EOMI] = NODE(PRE_EOMI),
        [OKT_CONJUNCTION] = NODE(CONJUNCTION),
        [OKT_MODIFIER] = NODE(MODIFIER),
        [OKT_VERB_PREFIX] = NODE(PREFIX_OF_VERB) | NODE(PREFIX_OF_ADJECTIVE),
        [OKT_SUFFIX] = NODE(SUFFIX),
    };
    uint32_t nodes = 0;
    for (; lists; lists &= lists - 1) nodes |= nodes_of_pos[lowest_bit(lists)];
    return nodes;
}

/* ---- parses ---- */

/* The last token of a parse, and the rank of the parse before it at the place where it begins. */
typedef struct {
    uint8_t previous, length, pos;
    bool unknown;
} step;

/* What the score of a parse, and of those that grow from it, depends on. */
typedef struct {
    float score;
    float frequency_sum; /* left fold over the tokens */
    int32_t tie_breaker; /* sum of the part-of-speech numbers */
    int32_t tokens, unknowns, words, unknown_length, determiners, exclamations;
    step last;
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

static bool is_digit_syllable(okt_char c) {
    switch (c) { /* 일 이 삼 사 오 육 칠 팔 구 천 백 십 해 경 조 억 만 */
    case 0xC77C: case 0xC774: case 0xC0BC: case 0xC0AC: case 0xC624: case 0xC721: case 0xCE60: case 0xD314: case 0xAD6C:
    case 0xCC9C: case 0xBC31: case 0xC2ED: case 0xD574: case 0xACBD: case 0xC870: case 0xC5B5: case 0xB9CC:
        return true;
    }
    return false;
}

/* 원 배 분 초: may close a number */
static bool is_unit(okt_char c) { return c == 0xC6D0 || c == 0xBC30 || c == 0xBD84 || c == 0xCD08; }

/* isName: a full or given name, or a family name of one or two syllables and a given name of two */
static bool is_name(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    if (okt_lookup(dictionary, word, length) & (OKT_FULL_NAME | OKT_GIVEN_NAME)) return true;
    if (length != 3 && length != 4) return false;
    return (okt_lookup(dictionary, word, length - 2) & OKT_FAMILY_NAME) &&
           (okt_lookup(dictionary, word + length - 2, 2) & OKT_GIVEN_NAME);
}

/* isKoreanNameVariation of a word that is no name itself: 우혀니 for 우현이 or 우현 */
static bool is_name_variation(const okt_dictionary *dictionary, const okt_char *word, uint32_t length) {
    enum { IEUNG = 11, I = 20 };
    if (length < 3 || length > 5) return false;
    okt_char last = word[length - 1], before = word[length - 2];
    if (vowel_of(last) != I || coda_of(last) != 0 || coda_of(before) != 0) return false;
    int coda = coda_of_onset(onset_of(last));
    if (coda < 0 || onset_of(last) == IEUNG) return false;
    okt_char recovered[5];
    memcpy(recovered, word, length * sizeof *word);
    recovered[length - 2] = before + (okt_char)coda;
    recovered[length - 1] = 0xC774; /* 이 */
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
                       word *words) {
    const okt_char *syllables = text + start;
    uint32_t longest = end - start < LONGEST ? end - start : LONGEST;
    uint32_t at = OKT_ROOT;
    okt_lists lists[LONGEST + 1] = {0};
    bool digits_before = true;
    for (uint32_t length = 1; length <= longest; length++) {
        okt_char last = syllables[length - 1];
        word w = {.grammar_nodes = NODE(NOUN), .unknown = true, .frequency = 0};
        if (at != OKT_NO_NODE) at = okt_child(dictionary, at, last);
        if (at != OKT_NO_NODE) {
            const okt_node *node = &dictionary->nodes[at];
            lists[length] = node->lists;
            w.grammar_nodes |= (uint16_t)nodes_of_lists(node->lists & OKT_PARTS_OF_SPEECH);
            w.frequency = node->frequency;
        }
        bool is_digit = is_digit_syllable(last);
        w.unknown = is_unknown(dictionary, syllables, length, lists, digits_before && (is_digit || is_unit(last)));
        digits_before = digits_before && is_digit;
        words[length] = w;
    }
}

/* ---- the score (ParsedChunk.scala; weights of TokenizerProfile.scala) ---- */

static inline float score_of(const parse *p, bool is_noun_then_josa) {
    float score = (float)p->tokens * 0.18f;
    score += (float)p->unknowns * 0.3f;
    score += (float)p->words * 0.3f;
    score += (float)p->unknown_length * 0.5f;
    score += p->frequency_sum / (float)p->tokens * 0.2f;
    score += p->tokens != 1 ? 0.5f : 0.0f;
    score += p->only_nouns ? 0.0f : 0.1f;
    score += is_noun_then_josa ? 0.0f : 0.6f;
    score += (float)p->determiners * -0.01f;
    score += (float)p->exclamations * 0.01f;
    score += p->begins_with_suffix ? 0.2f : 0.0f;
    score += p->noun_ha ? 0.0f : 0.3f;
    score += p->josa_mismatched ? 3.0f : 0.0f;
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

static bool is_suffix(uint8_t pos) {
    return pos == OKT_SUFFIX || pos == OKT_EOMI || pos == OKT_JOSA || pos == OKT_PRE_EOMI;
}

/* `before` with one word more, at a grammar node; `begins`: the word begins anew in the grammar. */
static inline parse grow(const parse *before, const word *w, const okt_char *text, uint32_t start, uint8_t length,
                         int rank, unsigned node, bool begins) {
    uint8_t pos = grammar[node].pos;
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
                    (text[start] == 0xD558 || text[start] == 0xD574); /* 하 해 */
    }
    p.score = score_of(&p, p.tokens == 2 && noun_then_josa);
    return p;
}

/* ---- the search (KoreanTokenizer.findTopCandidates) ---- */

static const parse *ranked(const beam *b, int rank) { return &b->items[b->order[rank]]; }

static void clear(beam *b, int width) {
    b->count = 0;
    b->width = width;
    for (uint8_t i = 0; i <= BEAM; i++) b->order[i] = i;
}

/* Keeps a parse if it is good enough, after its equals. */
static inline void keep(beam *best, const parse *p) {
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

/* Parses that are sure to be dropped are not even made: most of the time would go into them. What one word more costs
 * at least: its token costs 0.18; the mean of the frequencies, times 0.2, can fall by 0.2 / (tokens + 1); a determiner
 * costs -0.01. A second token costs 0.5 more, unless it is a particle or verb, which can save 0.9. A word that begins
 * anew in the grammar costs 0.3; an unknown noun 0.3, and 0.5 for each syllable. The factor stands for rounding. */
static bool is_full_of_better(const beam *best, const parse *p, float growth) {
    return best->count == best->width && p->score * 0.99999f + growth > ranked(best, best->width - 1)->score;
}

static float least_growth(const parse *p, uint32_t nodes) {
    if (p->tokens > 1) return 0.1f;
    return nodes & (NODE(VERB) | NODE(JOSA) | NODE(JOSA_AFTER_NOUN)) ? -0.35f : 0.55f;
}

static int find_parses(const okt_dictionary *dictionary, okt_search *search, const okt_char *text, uint32_t length) {
    static const parse nothing = {.words = 1, .only_nouns = true, .last.pos = OKT_UNKNOWN};
    if (okt_reserve(&search->steps, &search->capacity, ((size_t)length + 1) * BEAM, sizeof(step)) != OKT_OK)
        return OKT_NO_MEMORY;
    clear(&search->beams[0], BEAM);
    search->beams[0].items[0] = nothing;
    search->beams[0].count = 1;
    for (uint32_t end = 1; end <= length; end++) {
        find_words(dictionary, text, end - 1, length, search->words[(end - 1) % WINDOW]);
        beam *best = &search->beams[end % WINDOW];
        clear(best, end == length ? 1 : BEAM); /* of whole parses, only the best is asked for */
        uint32_t first = end > LONGEST ? end - LONGEST : 0;
        for (uint32_t start = end; start-- > first;) {
            const beam *before = &search->beams[start % WINDOW];
            const word *w = &search->words[start % WINDOW][end - start];
            uint8_t length_of_word = (uint8_t)(end - start);
            bool only_noun = w->grammar_nodes == NODE(NOUN);
            float unknown_noun = only_noun && w->unknown ? 0.3f + 0.5f * (float)length_of_word : 0.0f;
            for (int rank = 0; rank < before->count; rank++) {
                const parse *p = ranked(before, rank);
                /* Parses come best first: none after this one can do better. */
                if (only_noun && start && is_full_of_better(best, p, 0.1f + unknown_noun)) break;
                uint32_t next = start == 0 ? START_NODES : grammar[p->node].next;
                uint32_t anew = start != 0 && grammar[p->node].ends ? START_NODES : 0;
                for (int begins = 0; begins < 2; begins++) {
                    uint32_t nodes = (begins ? anew : next) & w->grammar_nodes;
                    float growth = least_growth(p, nodes) + unknown_noun + (begins ? 0.3f : 0.0f);
                    if (!nodes || (start && is_full_of_better(best, p, growth))) continue;
                    for (; nodes; nodes &= nodes - 1) {
                        parse grown = grow(p, w, text, start, length_of_word, rank, lowest_bit(nodes), begins);
                        keep(best, &grown);
                    }
                }
            }
        }
        for (int rank = 0; rank < best->count; rank++)
            search->steps[(size_t)end * BEAM + (size_t)rank] = ranked(best, rank)->last;
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
    /* Most of a walk through the trie is waiting for memory: ask for the second node of every walk now. */
    for (uint32_t i = start; i + 1 < end && i < start + AHEAD; i++) {
        uint32_t node = okt_child(dictionary, OKT_ROOT, text[i]);
        if (node != OKT_NO_NODE)
            PREFETCH(&dictionary->nodes[dictionary->nodes[node].base + dictionary->codes[text[i + 1] - HANGUL_FIRST]]);
    }
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
