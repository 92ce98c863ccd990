/* Hangul syllables as onset, vowel and coda. Source of the rules: Hangul.scala.
 *
 * A syllable is 0xAC00 + (onset * 21 + vowel) * 28 + coda. The three are numbered in Unicode's order: the enums below
 * name the ones that rules speak of; coda 0 is none.
 */
#ifndef OKT_HANGUL_H
#define OKT_HANGUL_H

#include "okt.h"

enum { HANGUL_FIRST = 0xAC00, HANGUL_LAST = 0xD7A3, JAMO_FIRST = 0x3131, JAMO_LAST = 0x3163 };

static inline bool is_syllable(okt_char c) { return c >= HANGUL_FIRST && c <= HANGUL_LAST; }
static inline bool is_jamo(okt_char c) { return c >= JAMO_FIRST && c <= JAMO_LAST; }

static inline unsigned onset_of(okt_char syllable) { return (syllable - HANGUL_FIRST) / (21 * 28); }
static inline unsigned vowel_of(okt_char syllable) { return (syllable - HANGUL_FIRST) / 28 % 21; }
static inline unsigned coda_of(okt_char syllable) { return (syllable - HANGUL_FIRST) % 28; }

static inline okt_char compose(unsigned onset, unsigned vowel, unsigned coda) {
    return HANGUL_FIRST + (onset * 21 + vowel) * 28 + coda;
}

/* The coda with the same sound as an onset (ㄱ to ㅎ), or -1: ㄸ, ㅃ and ㅉ never close a syllable. */
static inline int coda_of_onset(unsigned onset) {
    static const signed char codas[19] = {1, 2, 4, 7, -1, 8, 16, 17, -1, 19, 20, 21, 22, -1, 23, 24, 25, 26, 27};
    return codas[onset];
}

#endif
