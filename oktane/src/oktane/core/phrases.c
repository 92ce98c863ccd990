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
#include "phrases.h"

#include <stdlib.h>
#include <string.h>

#include "grammar.h"
#include "index.h"
#include "unicode.h"

enum { MIN_CHARS = 2, MAX_CHARS = 30, MAX_PHRASES = 8, MIN_PHRASES = 3 };

/* A phrase: neighboring tokens with one part of speech. Its length is that of its span: no phrase but a space holds
 * one. */
typedef struct {
    okt_span span;
    uint8_t pos;          /* an okt_pos */
    bool ends_in_suffix;  /* its last token is the suffix 적 */
} phrase;

typedef OKT_ARRAY(phrase) phrase_list;

struct okt_phraser {
    okt_interrupt *interrupt;
    phrase_list collapsed, noun_phrases;
    okt_spans candidates; /* the distinct ones so far, and an index of their texts */
    okt_index index;
};

okt_phraser *okt_phraser_new(okt_interrupt *interrupt) {
    okt_phraser *phraser = calloc(1, sizeof *phraser);
    if (phraser) phraser->interrupt = interrupt;
    return phraser;
}

void okt_phraser_free(okt_phraser *phraser) {
    if (!phraser) return;
    free(phraser->collapsed.items);
    free(phraser->noun_phrases.items);
    free(phraser->candidates.items);
    okt_index_free(&phraser->index);
    free(phraser);
}

/* ---- tokens to phrases (collapsePos) ---- */

static bool collapse_tokens(const okt_char *text, const okt_tokens *tokens, phrase_list *phrases) {
    if (!OKT_RESERVE(phrases, tokens->count)) return false;
    phrases->count = 0;
    grammar_nodes next = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        const okt_token *token = &tokens->items[i];
        const grammar_node *node = phrase_node_for(token->pos, next);
        if (!node) {
            node = phrase_node_for(token->pos, PHRASE_STARTS);
            phrases->items[phrases->count++].span.start = token->start;
        }
        phrase *current = &phrases->items[phrases->count - 1];
        current->span.end = token->end;
        current->pos = node ? node->gives : token->pos;
        current->ends_in_suffix =
            token->pos == OKT_SUFFIX && token->end - token->start == 1 && text[token->start] == U'적';
        next = node ? node->next : 0;
    }
    return true;
}

/* Joins neighboring nouns (collapseNounPhrases). */
static bool join_nouns(const phrase_list *phrases, phrase_list *joined) {
    if (!OKT_RESERVE(joined, phrases->count)) return false;
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
    return true;
}

/* ---- which candidates are proper phrases ---- */

/* Whether a phrase that is neither noun nor space may stand within a longer one: 하는, 할, but not 하지만; 와, 과, 의
 * (isNonNounPhraseCandidate; a number or letters are nouns by now). */
static bool may_stand_within(const okt_char *text, const phrase *p) {
    okt_char last = text[p->span.end - 1];
    if (p->pos == OKT_VERB || p->pos == OKT_ADJECTIVE)
        return is_syllable(last) && (coda_of(last) == CODA_NIEUN || coda_of(last) == CODA_RIEUL) && last != U'만';
    return p->pos == OKT_JOSA && p->span.end - p->span.start == 1 && (last == U'와' || last == U'과' || last == U'의');
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
    s->hash = okt_hash(s->hash, text + p->span.start, length);
    s->span.end = p->span.end;
    if (p->pos == OKT_SPACE) return;
    s->phrases++;
    s->chars += length;
    s->has_a_word |= length > 1;
}

static sequence start_sequence(const okt_char *text, const phrase *p) {
    sequence s = {.span = p->span, .hash = OKT_HASH_SEED};
    extend_sequence(&s, text, p);
    return s;
}

/* isProperPhraseChunk, for a sequence that ends in a noun */
static bool is_proper(const sequence *s, const phrase *last) {
    return s->phrases <= MAX_PHRASES && s->chars <= MAX_CHARS && (s->phrases >= MIN_PHRASES || s->chars >= MIN_CHARS) &&
           s->has_a_word && !last->ends_in_suffix;
}

/* ---- candidates ---- */

static bool is_known(const okt_phraser *phraser, const okt_char *text, const sequence *s) {
    const okt_index *index = &phraser->index;
    size_t length = s->span.end - s->span.start;
    for (okt_index_cursor at = okt_index_find(index, s->hash); okt_index_next(index, s->hash, &at);) {
        okt_span other = phraser->candidates.items[at.number];
        if (other.end - other.start == length &&
            !memcmp(text + other.start, text + s->span.start, length * sizeof *text))
            return true;
    }
    return false;
}

/* Adds a candidate if it is the first of its text (distinctPhrases) and proper. */
static bool add_candidate(okt_phraser *phraser, const okt_char *text, const sequence *s, const phrase *last,
                          okt_spans *found) {
    if (!okt_goes_on(phraser->interrupt, 1)) return false;
    /* All candidates of one text have as many characters that are not white space: too long ones needn't be remembered,
     * which keeps the time linear. */
    if (s->chars > MAX_CHARS || is_known(phraser, text, s)) return true;
    /* In this order: the index never has one more than there are candidates. */
    if (!OKT_APPEND(&phraser->candidates, s->span) || !okt_index_add(&phraser->index, s->hash)) return false;
    return !is_proper(s, last) || OKT_APPEND(found, s->span);
}

/* ---- a whole text ---- */

/* The beginnings of sequences that end in a noun (collapsePhrases). A sequence goes on until a phrase that can't stand
 * within one; what precedes its first noun or adjective is not part of it (trimPhraseChunk). */
static bool add_sequences(okt_phraser *phraser, const okt_char *text, okt_spans *found) {
    bool started = false;
    sequence s = {.hash = OKT_HASH_SEED};
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
        if (noun && !add_candidate(phraser, text, &s, p, found)) return false;
    }
    return true;
}

/* Nouns of two characters or more as the first step left them (getSingleTokenNouns). */
static bool add_single_nouns(okt_phraser *phraser, const okt_char *text, okt_spans *found) {
    for (size_t i = 0; i < phraser->collapsed.count; i++) {
        const phrase *p = &phraser->collapsed.items[i];
        if (p->pos != OKT_NOUN || p->span.end - p->span.start < MIN_CHARS) continue;
        sequence s = start_sequence(text, p);
        if (!add_candidate(phraser, text, &s, p, found)) return false;
    }
    return true;
}

bool okt_extract_phrases(okt_phraser *phraser, const okt_char *text, const okt_tokens *tokens, okt_spans *phrases) {
    phrases->count = 0;
    phraser->candidates.count = 0;
    okt_index_clear(&phraser->index);
    return collapse_tokens(text, tokens, &phraser->collapsed) &&
           join_nouns(&phraser->collapsed, &phraser->noun_phrases) && add_sequences(phraser, text, phrases) &&
           add_single_nouns(phraser, text, phrases);
}
