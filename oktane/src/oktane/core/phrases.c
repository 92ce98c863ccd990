/* Extracts noun phrases from the tokens of a text.
 *
 * Source of the rules: KoreanPhraseExtractor.scala, without its options for spam and hashtags, which Okt's interface
 * to Python leaves off. Tokens are collapsed to phrases (collapsePos), phrases of nouns to longer ones
 * (collapseNounPhrases), and of these every beginning of a sequence that ends in a noun is a candidate
 * (collapsePhrases), followed by the single phrases of step one (getSingleTokenNouns). The first candidate of each
 * text counts (distinctPhrases), if it is a proper phrase (isProperPhraseChunk).
 *
 * Candidates are always neighboring tokens of the text: a span says it all.
 */
#include <stdlib.h>
#include <string.h>

#include "hangul.h"
#include "okt.h"

enum { MIN_CHARS = 2, MAX_CHARS = 30, MAX_PHRASES = 8, MIN_PHRASES = 3 };

/* A phrase: neighboring tokens with one part of speech. Its length is that of its span: no phrase but a space holds
 * one. */
typedef struct {
    okt_span span;
    uint8_t pos;          /* an okt_pos */
    bool ends_in_suffix;  /* its last token is the suffix 적 */
} phrase;

typedef struct {
    phrase *items;
    size_t count, capacity;
} phrase_list;

/* The texts of all candidates so far: a hash table with open addressing. */
typedef struct {
    uint32_t hash;
    okt_span span; /* an empty span: a free slot */
} seen_text;

typedef struct {
    seen_text *items;
    size_t count, capacity; /* count: number of slots in use for this text, a power of two */
} seen_texts;

struct okt_phraser {
    phrase_list collapsed, noun_phrases;
    seen_texts seen;
};

/* ---- tokens to phrases (collapsePos) ---- */

/* The nodes of the source's COLLAPSING_RULES, D0m*N1s0, n*a+n*, n+, v*V1r*e0 and v*J1r*e0, as its hash map orders them:
 * of two rules that start alike (n, v) only the first is ever followed, so n+ is never used and a verb prefix only
 * joins adjectives. */
typedef enum {
    NO_NODE, NUMBER, ALPHA, NUMBER_AFTER_ALPHA, VERB_PREFIX, ADJECTIVE, ADJECTIVE_PRE_EOMI, ADJECTIVE_EOMI,
    VERB, VERB_PRE_EOMI, VERB_EOMI, DETERMINER, MODIFIER, NOUN, SUFFIX,
    NODE_COUNT
} node;

#define NODE(n) (1u << (n))
static const uint32_t start_nodes = NODE(NUMBER) | NODE(ALPHA) | NODE(VERB_PREFIX) | NODE(ADJECTIVE) | NODE(VERB) |
                                    NODE(DETERMINER) | NODE(MODIFIER) | NODE(NOUN);

/* For each node: the part of speech it takes, the one it gives its phrase, the nodes that may follow. */
static const struct {
    uint8_t takes, gives;
    uint32_t next;
} nodes[NODE_COUNT] = {
    [NUMBER] = {OKT_NUMBER, OKT_NOUN, NODE(NUMBER) | NODE(ALPHA)},
    [ALPHA] = {OKT_ALPHA, OKT_NOUN, NODE(ALPHA) | NODE(NUMBER_AFTER_ALPHA)},
    [NUMBER_AFTER_ALPHA] = {OKT_NUMBER, OKT_NOUN, NODE(NUMBER_AFTER_ALPHA)},
    [VERB_PREFIX] = {OKT_VERB_PREFIX, OKT_NOUN, NODE(VERB_PREFIX) | NODE(ADJECTIVE)},
    [ADJECTIVE] = {OKT_ADJECTIVE, OKT_ADJECTIVE, NODE(ADJECTIVE_PRE_EOMI) | NODE(ADJECTIVE_EOMI)},
    [ADJECTIVE_PRE_EOMI] = {OKT_PRE_EOMI, OKT_ADJECTIVE, NODE(ADJECTIVE_PRE_EOMI) | NODE(ADJECTIVE_EOMI)},
    [ADJECTIVE_EOMI] = {OKT_EOMI, OKT_ADJECTIVE, 0},
    [VERB] = {OKT_VERB, OKT_VERB, NODE(VERB_PRE_EOMI) | NODE(VERB_EOMI)},
    [VERB_PRE_EOMI] = {OKT_PRE_EOMI, OKT_VERB, NODE(VERB_PRE_EOMI) | NODE(VERB_EOMI)},
    [VERB_EOMI] = {OKT_EOMI, OKT_VERB, 0},
    [DETERMINER] = {OKT_DETERMINER, OKT_NOUN, NODE(MODIFIER) | NODE(NOUN)},
    [MODIFIER] = {OKT_MODIFIER, OKT_NOUN, NODE(MODIFIER) | NODE(NOUN)},
    [NOUN] = {OKT_NOUN, OKT_NOUN, NODE(SUFFIX)},
    [SUFFIX] = {OKT_SUFFIX, OKT_NOUN, 0},
};

static node find_node(uint32_t among, uint8_t pos) {
    for (node n = NO_NODE + 1; n < NODE_COUNT; n++)
        if ((among & NODE(n)) && nodes[n].takes == pos) return n;
    return NO_NODE;
}

static int collapse_tokens(const okt_char *text, const okt_tokens *tokens, phrase_list *phrases) {
    enum { JEOK = 0xC801 /* 적 */ };
    if (OKT_RESERVE(phrases, tokens->count) != OKT_OK) return OKT_NO_MEMORY;
    phrases->count = 0;
    uint32_t next = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        const okt_token *token = &tokens->items[i];
        node n = find_node(next, token->pos);
        phrase *current;
        if (n != NO_NODE) {
            current = &phrases->items[phrases->count - 1];
        } else {
            n = find_node(start_nodes, token->pos);
            current = &phrases->items[phrases->count++];
            current->span.start = token->start;
        }
        current->span.end = token->end;
        current->pos = n == NO_NODE ? token->pos : nodes[n].gives;
        current->ends_in_suffix =
            token->pos == OKT_SUFFIX && token->end - token->start == 1 && text[token->start] == JEOK;
        next = nodes[n].next;
    }
    return OKT_OK;
}

/* Joins neighboring nouns (collapseNounPhrases). */
static int join_nouns(const phrase_list *phrases, phrase_list *joined) {
    if (OKT_RESERVE(joined, phrases->count) != OKT_OK) return OKT_NO_MEMORY;
    joined->count = 0;
    for (size_t i = 0; i < phrases->count; i++) {
        const phrase *p = &phrases->items[i];
        if (p->pos == OKT_NOUN && joined->count && joined->items[joined->count - 1].pos == OKT_NOUN) {
            joined->items[joined->count - 1].span.end = p->span.end;
            joined->items[joined->count - 1].ends_in_suffix = p->ends_in_suffix;
        } else {
            joined->items[joined->count++] = *p;
        }
    }
    return OKT_OK;
}

/* ---- candidates of one text only once (distinctPhrases) ---- */

enum { HASH_SEED = 0x811C9DC5 /* of FNV-1a */ };

static uint32_t extend_hash(uint32_t hash, const okt_char *text, okt_span span) {
    for (uint32_t i = span.start; i < span.end; i++) hash = (hash ^ text[i]) * 0x01000193u;
    return hash;
}

static int clear_seen(seen_texts *seen, size_t candidates) {
    size_t slots = 8;
    while (slots < candidates * 2) slots *= 2;
    if (OKT_RESERVE(seen, slots) != OKT_OK) return OKT_NO_MEMORY;
    memset(seen->items, 0, slots * sizeof *seen->items);
    seen->count = slots;
    return OKT_OK;
}

/* Whether this is the first candidate with its text; it is remembered. */
static bool is_new(seen_texts *seen, const okt_char *text, okt_span span, uint32_t hash) {
    size_t length = span.end - span.start, mask = seen->count - 1, slot = hash & mask;
    for (;; slot = (slot + 1) & mask) {
        seen_text *entry = &seen->items[slot];
        size_t entry_length = entry->span.end - entry->span.start;
        if (entry_length == 0) {
            *entry = (seen_text){hash, span};
            return true;
        }
        if (entry->hash == hash && entry_length == length &&
            !memcmp(text + entry->span.start, text + span.start, length * sizeof *text))
            return false;
    }
}

/* ---- which candidates are proper phrases ---- */

/* Whether a phrase that is neither noun nor space may stand within a longer one: 하는, 할, but not 하지만; 와, 과, 의
 * (isNonNounPhraseCandidate; a number or letters are nouns by now). */
static bool may_stand_within(const okt_char *text, const phrase *p) {
    enum { MAN = 0xB9CC /* 만 */, WA = 0xC640 /* 와 */, GWA = 0xACFC /* 과 */, UI = 0xC758 /* 의 */ };
    enum { CODA_N = 4 /* ㄴ */, CODA_L = 8 /* ㄹ */ };
    okt_char last = text[p->span.end - 1];
    if (p->pos == OKT_VERB || p->pos == OKT_ADJECTIVE)
        return is_syllable(last) && (coda_of(last) == CODA_N || coda_of(last) == CODA_L) && last != MAN;
    return p->pos == OKT_JOSA && p->span.end - p->span.start == 1 && (last == WA || last == GWA || last == UI);
}

/* A sequence of phrases that starts with a noun or an adjective; spaces don't count. */
typedef struct {
    okt_span span;
    uint32_t hash;   /* of its text */
    size_t phrases;  /* how many */
    size_t chars;    /* in all of them */
    bool has_a_word; /* one of them is longer than one character */
} sequence;

static void extend_sequence(sequence *s, const okt_char *text, const phrase *p) {
    uint32_t length = p->span.end - p->span.start;
    s->hash = extend_hash(s->hash, text, p->span);
    s->span.end = p->span.end;
    if (p->pos == OKT_SPACE) return;
    s->phrases++;
    s->chars += length;
    s->has_a_word |= length > 1;
}

static sequence start_sequence(const okt_char *text, const phrase *p) {
    sequence s = {p->span, HASH_SEED, 0, 0, false};
    extend_sequence(&s, text, p);
    return s;
}

/* isProperPhraseChunk, for a sequence that ends in a noun */
static bool is_proper(const sequence *s, const phrase *last) {
    return s->phrases <= MAX_PHRASES && s->chars <= MAX_CHARS && (s->phrases >= MIN_PHRASES || s->chars >= MIN_CHARS) &&
           s->has_a_word && !last->ends_in_suffix;
}

/* Adds a candidate if it is the first of its text and proper. */
static int add_candidate(okt_phraser *phraser, const okt_char *text, const sequence *s, const phrase *last,
                         okt_spans *found) {
    /* All candidates of one text have as many characters that are not white space: too long ones needn't be remembered,
     * which keeps the time linear. */
    if (s->chars > MAX_CHARS || !is_new(&phraser->seen, text, s->span, s->hash) || !is_proper(s, last)) return OKT_OK;
    if (OKT_RESERVE(found, found->count + 1) != OKT_OK) return OKT_NO_MEMORY;
    found->items[found->count++] = s->span;
    return OKT_OK;
}

/* ---- a whole text ---- */

/* The beginnings of sequences that end in a noun (collapsePhrases). A sequence goes on until a phrase that can't stand
 * within one; what precedes its first noun or adjective is not part of it (trimPhraseChunk). */
static int add_sequences(okt_phraser *phraser, const okt_char *text, okt_spans *found) {
    bool started = false;
    sequence s = {{0, 0}, 0, 0, 0, false};
    for (size_t i = 0; i < phraser->noun_phrases.count; i++) {
        const phrase *p = &phraser->noun_phrases.items[i];
        bool noun = p->pos == OKT_NOUN;
        if (!noun && p->pos != OKT_SPACE && !may_stand_within(text, p)) {
            started = false;
        } else if (started) {
            extend_sequence(&s, text, p);
        } else if (noun || p->pos == OKT_ADJECTIVE) {
            s = start_sequence(text, p);
            started = true;
        }
        if (noun && add_candidate(phraser, text, &s, p, found) != OKT_OK) return OKT_NO_MEMORY;
    }
    return OKT_OK;
}

/* Nouns of two characters or more as the first step left them (getSingleTokenNouns). */
static int add_single_nouns(okt_phraser *phraser, const okt_char *text, okt_spans *found) {
    for (size_t i = 0; i < phraser->collapsed.count; i++) {
        const phrase *p = &phraser->collapsed.items[i];
        if (p->pos != OKT_NOUN || p->span.end - p->span.start < MIN_CHARS) continue;
        sequence s = start_sequence(text, p);
        if (add_candidate(phraser, text, &s, p, found) != OKT_OK) return OKT_NO_MEMORY;
    }
    return OKT_OK;
}

int okt_extract_phrases(okt_workspace *workspace, const okt_char *text, const okt_tokens *tokens, okt_spans *phrases) {
    if (!workspace->phraser && !(workspace->phraser = calloc(1, sizeof *workspace->phraser))) return OKT_NO_MEMORY;
    okt_phraser *phraser = workspace->phraser;
    phrases->count = 0;
    if (collapse_tokens(text, tokens, &phraser->collapsed) != OKT_OK ||
        join_nouns(&phraser->collapsed, &phraser->noun_phrases) != OKT_OK ||
        clear_seen(&phraser->seen, phraser->collapsed.count + phraser->noun_phrases.count) != OKT_OK ||
        add_sequences(phraser, text, phrases) != OKT_OK)
        return OKT_NO_MEMORY;
    return add_single_nouns(phraser, text, phrases);
}

void okt_phraser_free(okt_phraser *phraser) {
    if (!phraser) return;
    free(phraser->collapsed.items);
    free(phraser->noun_phrases.items);
    free(phraser->seen.items);
    free(phraser);
}
