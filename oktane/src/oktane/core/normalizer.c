/* Normalizes colloquial spelling, and keeps trace of where every character came from.
 *
 * Source of the rules: KoreanNormalizer.scala. Each run of Hangul (syllables and jamo) goes through five steps, in the
 * source's order; everything else is kept as it is. The source's last step, which replaces white space, can't apply: a
 * run holds none.
 *
 * A run is rewritten in place at the end of the output. Steps that only ever shorten it read ahead of what they write.
 */
#include "normalizer.h"

#include <stdlib.h>
#include <string.h>

#include "unicode.h"

/* A typo of the text being corrected. */
typedef struct {
    const okt_char *word;
    bool may_occur; /* false: the text as it stands now doesn't hold it */
} met_typo;

typedef OKT_ARRAY(met_typo) met_typos;

struct okt_normalizer {
    okt_interrupt *interrupt;
    okt_chars chars; /* a run's characters and origins while a longer version is written in its place */
    okt_spans origins;
    okt_chars before; /* a run as it was when the correction of one length began */
    met_typos typos;
    okt_tokens tokens;
};

okt_normalizer *okt_normalizer_new(okt_interrupt *interrupt) {
    okt_normalizer *normalizer = calloc(1, sizeof *normalizer);
    if (normalizer) normalizer->interrupt = interrupt;
    return normalizer;
}

void okt_normalizer_free(okt_normalizer *normalizer) {
    if (!normalizer) return;
    free(normalizer->chars.items);
    free(normalizer->origins.items);
    free(normalizer->before.items);
    free(normalizer->typos.items);
    free(normalizer->tokens.items);
    free(normalizer);
}

/* What is written so far, and the run in it that is being normalized: all from `start` on. */
typedef struct {
    const okt_dictionary *dictionary;
    okt_tokenizer *tokenizer;
    okt_normalizer *buffers;
    okt_chars *chars;
    okt_spans *origins;
    size_t start;
} normal_text;

/* The run's characters, their origins, and how many. */
static okt_char *run_chars(normal_text *out) { return out->chars->items + out->start; }
static okt_span *run_origins(normal_text *out) { return out->origins->items + out->start; }
static size_t run_length(const normal_text *out) { return out->chars->count - out->start; }

static void set_run_length(normal_text *out, size_t length) {
    out->chars->count = out->origins->count = out->start + length;
}

static bool reserve_output(normal_text *out, size_t count) {
    return OKT_RESERVE(out->chars, count) && OKT_RESERVE(out->origins, count);
}

/* Starts a new run with the characters [start, end) of the text. */
static bool start_run(normal_text *out, const okt_char *text, size_t start, size_t end) {
    out->start = out->chars->count;
    if (!reserve_output(out, out->start + (end - start))) return false;
    set_run_length(out, end - start);
    memcpy(run_chars(out), text + start, (end - start) * sizeof *text);
    for (size_t i = start; i < end; i++) run_origins(out)[i - start] = (okt_span){(uint32_t)i, (uint32_t)i + 1};
    return true;
}

static bool is_in(const normal_text *out, okt_lists lists, const okt_char *word, size_t length) {
    return (okt_lookup(out->dictionary, word, length) & lists) != 0;
}

/* ---- step 1: syllables before laughter or tears (KOREAN_TO_NORMALIZE_REGEX) ---- */

static bool is_tears(okt_char c) { return c == U'ㅠ' || c == U'ㅜ'; }
static bool is_emotion(okt_char c) { return c == U'ㅋ' || c == U'ㅎ' || is_tears(c); }

/* The vowel of a syllable as a character: these stand in the vowels' order. */
static okt_char jamo_of_vowel(okt_char syllable) { return U'ㅏ' + vowel_of(syllable); }

/* Takes laughter or tears that were typed into the last syllables of `word` out of them: 됔 before ㅋㅋ is 돼, and 머구
 * before ㅜㅜ is 먹, whose last syllable is 머's final consonant with the first tear. Returns the length that is left:
 * the same, or one less. Source: processNormalizationCandidate and normalizeEmotionAttachedChunk. */
static size_t detach_emotion(const normal_text *out, okt_char *word, okt_span *origins, size_t length,
                             okt_char emotion) {
    if (is_in(out, OKT_LIST(OKT_NOUN), word, length)) return length;
    for (size_t n = 1; n <= 2 && n <= length; n++)
        if (is_in(out, OKT_LIST(OKT_EOMI), word + length - n, n)) return length;

    okt_char last = word[length - 1];
    unsigned coda = coda_of(last);
    if (coda == CODA_KIEUK || coda == CODA_HIEUH) {
        word[length - 1] = compose(onset_of(last), vowel_of(last), 0);
    } else if (coda == 0 && length > 1 && coda_of(word[length - 2]) == 0 && jamo_of_vowel(last) == emotion &&
               coda_of_onset(onset_of(last)) >= 0) {
        word[length - 2] += (okt_char)coda_of_onset(onset_of(last));
        origins[length - 2].end = origins[length - 1].end;
        return length - 1;
    }
    return length;
}

static void detach_emotions(normal_text *out) {
    okt_char *chars = run_chars(out);
    okt_span *origins = run_origins(out);
    size_t length = run_length(out), written = 0;
    for (size_t read = 0; read < length;) {
        size_t word = written;
        while (read < length && is_syllable(chars[read])) {
            chars[written] = chars[read];
            origins[written++] = origins[read++];
        }
        if (read == length) break;
        okt_char emotion = chars[read];
        if (written > word && is_emotion(emotion))
            written = word + detach_emotion(out, chars + word, origins + word, written - word, emotion);
        while (read < length && !is_syllable(chars[read])) {
            chars[written] = chars[read];
            origins[written++] = origins[read++];
        }
    }
    set_run_length(out, written);
}

/* ---- steps 2 and 3: repetitions ---- */

/* How many characters `chars` begins with, each of which equals the one `period` before it; the first
 * `period` always count. */
static size_t periodic_length(const okt_char *chars, size_t length, size_t period) {
    if (length < period) return length;
    size_t n = period;
    while (n < length && chars[n] == chars[n - period]) n++;
    return n;
}

static size_t tears_length(const okt_char *chars, size_t length) {
    size_t n = 0;
    while (n < length && is_tears(chars[n])) n++;
    return n;
}

/* REPEATING_CHAR_REGEX: of one character four times or more, and of three tears of either kind or more, three stay. */
static size_t repetition_of_one(const okt_char *chars, size_t length) {
    size_t same = periodic_length(chars, length, 1);
    if (same >= 4) return same;
    size_t tears = tears_length(chars, length);
    return tears >= 3 ? tears : 0;
}

/* REPEATING_2CHAR_REGEX: of two characters three times or more, two times stay. */
static size_t repetition_of_two(const okt_char *chars, size_t length) {
    size_t whole = periodic_length(chars, length, 2) / 2 * 2;
    return whole >= 6 ? whole : 0;
}

/* Keeps the first `kept` characters of every repetition; the last of them stands for all that are dropped. */
static bool shorten_repetitions(normal_text *out, size_t (*repetition)(const okt_char *, size_t), size_t kept) {
    okt_char *chars = run_chars(out);
    okt_span *origins = run_origins(out);
    size_t length = run_length(out), written = 0;
    for (size_t read = 0; read < length;) {
        if (!okt_goes_on(out->buffers->interrupt, 1)) return false;
        size_t repeated = repetition(chars + read, length - read);
        size_t copied = repeated ? kept : 1;
        uint32_t end = origins[read + (repeated ? repeated : 1) - 1].end;
        memmove(chars + written, chars + read, copied * sizeof *chars);
        memmove(origins + written, origins + read, copied * sizeof *origins);
        written += copied;
        origins[written - 1].end = end;
        read += repeated ? repeated : 1;
    }
    set_run_length(out, written);
    return true;
}

/* ---- step 4: 인 that was contracted into a final ㄴ (normalizeCodaN) ---- */

/* CODA_N_EXCPETION */
static bool keeps_its_coda(okt_char c) {
    switch (c) {
    case U'은': case U'는': case U'운': case U'인': case U'텐': case U'근': case U'른': case U'픈': case U'닌': case U'든':
    case U'던':
        return true;
    }
    return false;
}

/* 소린가 -> 소리인가. The source's conditions, cheapest first: only the last one tokenizes. */
static bool expand_contracted_in(normal_text *out) {
    const okt_lists unsplit = OKT_LIST(OKT_NOUN) | OKT_LIST(OKT_CONJUNCTION) | OKT_LIST(OKT_ADVERB);
    size_t length = run_length(out);
    if (length < 2) return true;
    okt_char *chars = run_chars(out);
    okt_char last = chars[length - 1], *contracted = &chars[length - 2];
    if (last != U'데' && last != U'가' && last != U'지') return true;
    if (!is_syllable(*contracted) || coda_of(*contracted) != CODA_NIEUN || keeps_its_coda(*contracted)) return true;
    *contracted -= CODA_NIEUN;
    bool noun = is_in(out, OKT_LIST(OKT_NOUN), chars, length - 1);
    *contracted += CODA_NIEUN;
    if (!noun || is_in(out, unsplit, chars, length) || is_in(out, OKT_LIST(OKT_NOUN), contracted, 2)) return true;

    okt_tokens *tokens = &out->buffers->tokens;
    if (!okt_tokenize(out->tokenizer, out->dictionary, chars, length, tokens)) return false;
    if (tokens->count && (tokens->items[0].pos == OKT_VERB || tokens->items[0].pos == OKT_ADJECTIVE)) return true;

    if (!reserve_output(out, out->start + length + 1)) return false;
    chars = run_chars(out);
    okt_span *origins = run_origins(out);
    set_run_length(out, length + 1);
    chars[length] = last;
    origins[length] = origins[length - 1];
    chars[length - 1] = U'인';
    chars[length - 2] -= CODA_NIEUN;
    origins[length - 1] = origins[length - 2];
    return true;
}

/* ---- step 5: typos (correctTypo) ---- */

/* Appends the origins of a typo's correction; the array must have room. Characters that typo and correction share at
 * either end keep their own origins, as do all where the lengths are equal; what lies between comes from all that lay
 * between. */
static void append_correction(okt_spans *origins, const okt_char *word, const okt_span *from, size_t length,
                              const okt_char *correction, size_t correction_length) {
    okt_span *to = origins->items + origins->count;
    origins->count += correction_length;
    if (length == correction_length) {
        memcpy(to, from, length * sizeof *from);
        return;
    }
    size_t shorter = length < correction_length ? length : correction_length;
    size_t head = 0, tail = 0;
    while (head < shorter && word[head] == correction[head]) head++;
    while (tail < shorter - head && word[length - 1 - tail] == correction[correction_length - 1 - tail]) tail++;
    if (head + tail == shorter) { /* nothing differs on one side: a neighbor takes part */
        if (head) head--;
        else tail--;
    }
    okt_span middle = {from[head].start, from[length - 1 - tail].end};
    memcpy(to, from, head * sizeof *from);
    for (size_t i = head; i < correction_length - tail; i++) to[i] = middle;
    memcpy(to + correction_length - tail, from + length - tail, tail * sizeof *from);
}

static bool occurs_at(const okt_char *text, size_t total, size_t at, const okt_char *word, size_t length) {
    return at + length <= total && text[at] == word[0] && !memcmp(text + at, word, length * sizeof *word);
}

/* The entry of a typo among those of this length that were met before, or NULL. */
static met_typo *find_typo(const met_typos *known, const okt_char *word, size_t length) {
    for (size_t i = 0; i < known->count; i++)
        if (!memcmp(known->items[i].word, word, length * sizeof *word)) return &known->items[i];
    return NULL;
}

/* Notes which known typos have come into being where text[start:end] is new. */
static void note_new_typos(normal_text *out, const okt_char *text, size_t total, size_t start, size_t end,
                           size_t length) {
    for (size_t at = start >= length ? start - length + 1 : 0; at < end && at + length <= total; at++) {
        size_t correction_length;
        if (!okt_typo(out->dictionary, text + at, length, &correction_length)) continue;
        met_typo *entry = find_typo(&out->buffers->typos, text + at, length);
        if (entry) entry->may_occur = true;
    }
}

/* Replaces every occurrence of a typo in the run, from left to right. */
static bool replace_typo(normal_text *out, const okt_char *word, size_t length, const okt_char *correction,
                        size_t correction_length) {
    okt_chars *chars = &out->buffers->chars;
    okt_spans *origins = &out->buffers->origins;
    size_t old_length = run_length(out), count = 0;
    if (!okt_goes_on(out->buffers->interrupt, 1 + old_length / 128)) return false; /* some nanoseconds a character */
    for (size_t i = 0; i < old_length;) {
        bool found = occurs_at(run_chars(out), old_length, i, word, length);
        count += found;
        i += found ? length : 1;
    }
    if (!count) return true;

    size_t new_length = old_length + count * correction_length - count * length;
    if (!OKT_RESERVE(chars, new_length) || !OKT_RESERVE(origins, new_length) ||
        !reserve_output(out, out->start + new_length))
        return false;
    const okt_char *old = run_chars(out);
    const okt_span *old_origins = run_origins(out);
    chars->count = origins->count = 0;
    for (size_t i = 0; i < old_length;) {
        if (occurs_at(old, old_length, i, word, length)) {
            memcpy(chars->items + chars->count, correction, correction_length * sizeof *correction);
            chars->count += correction_length;
            append_correction(origins, word, old_origins + i, length, correction, correction_length);
            i += length;
        } else {
            chars->items[chars->count++] = old[i];
            origins->items[origins->count++] = old_origins[i++];
        }
    }
    for (size_t i = 0, at = 0; i < old_length;) {
        bool found = occurs_at(old, old_length, i, word, length);
        if (found) note_new_typos(out, chars->items, new_length, at, at + correction_length, length);
        i += found ? length : 1;
        at += found ? correction_length : 1;
    }
    set_run_length(out, new_length);
    memcpy(run_chars(out), chars->items, new_length * sizeof *chars->items);
    memcpy(run_origins(out), origins->items, new_length * sizeof *origins->items);
    return true;
}

/* Corrects the typos of one length. The source slides a window over the text as it stood before the first correction of
 * this length, and at every window that is a typo replaces all its occurrences in the text as it stands by then. A
 * typo that was replaced is only looked for again once a correction has brought it back: that keeps the time
 * linear. */
static bool correct_typos_of_length(normal_text *out, size_t length) {
    okt_normalizer *buffers = out->buffers;
    size_t total = run_length(out);
    bool copied = false;
    buffers->typos.count = 0;
    for (size_t i = 0; i + length <= total; i++) {
        if (!okt_goes_on(buffers->interrupt, 1)) return false;
        const okt_char *word = (copied ? buffers->before.items : run_chars(out)) + i;
        size_t correction_length;
        const okt_char *correction = okt_typo(out->dictionary, word, length, &correction_length);
        if (!correction) continue;
        if (!copied) {
            if (!OKT_RESERVE(&buffers->before, total)) return false;
            memcpy(buffers->before.items, run_chars(out), total * sizeof(okt_char));
            copied = true;
            word = buffers->before.items + i;
        }
        met_typo *entry = find_typo(&buffers->typos, word, length);
        if (!entry) {
            if (!OKT_APPEND(&buffers->typos, (met_typo){word, true})) return false;
            entry = &buffers->typos.items[buffers->typos.count - 1];
        }
        if (!entry->may_occur) continue;
        entry->may_occur = false;
        if (!replace_typo(out, word, length, correction, correction_length)) return false;
    }
    return true;
}

static bool correct_typos(normal_text *out) {
    /* The iteration order of the source's typoDictionaryByLength, a hash map. */
    static const size_t lengths[] = {1, 6, 2, 3, 4};
    for (size_t i = 0; i < OKT_COUNT(lengths); i++)
        if (!correct_typos_of_length(out, lengths[i])) return false;
    return true;
}

/* ---- a whole text ---- */

static bool is_hangul(okt_char c) { return is_syllable(c) || is_jamo(c); }

/* normalizeKoreanChunk */
static bool normalize_run(normal_text *out) {
    if (!okt_goes_on(out->buffers->interrupt, run_length(out))) return false;
    detach_emotions(out);
    return shorten_repetitions(out, repetition_of_one, 3) && shorten_repetitions(out, repetition_of_two, 4) &&
           expand_contracted_in(out) && correct_typos(out);
}

bool okt_normalize(okt_normalizer *normalizer, okt_tokenizer *tokenizer, const okt_dictionary *dictionary,
                   const okt_char *text, size_t length, okt_chars *normalized, okt_spans *origins) {
    normal_text out = {dictionary, tokenizer, normalizer, normalized, origins, 0};
    normalized->count = origins->count = 0;
    for (size_t start = 0, end = 0; start < length; start = end) {
        if (!okt_goes_on(normalizer->interrupt, 1)) return false;
        bool hangul = is_hangul(text[start]);
        while (end < length && is_hangul(text[end]) == hangul) end++;
        if (!start_run(&out, text, start, end)) return false;
        if (hangul && !normalize_run(&out)) return false;
    }
    return true;
}
