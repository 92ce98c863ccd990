/* Classes of characters, and Hangul syllables as onset, vowel and coda. Source of the rules for Hangul: Hangul.scala.
 *
 * A syllable is U'가' + (onset * 21 + vowel) * 28 + coda. The three are numbered in Unicode's order; coda 0 is none.
 */
#ifndef OKT_UNICODE_H
#define OKT_UNICODE_H

#include <string.h>

#include "okt.h"

/* ---- ASCII classes: a Java class that ignores case does so in ASCII only ---- */

static inline bool is_digit(okt_char c) { return c >= '0' && c <= '9'; }
static inline bool is_letter(okt_char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static inline bool is_alnum(okt_char c) { return is_digit(c) || is_letter(c); }
static inline bool is_punct(okt_char c) { return c > ' ' && c < 0x7F && !is_alnum(c); }
static inline bool is_one_of(okt_char c, const char *ascii) { return c < 0x80 && c && strchr(ascii, (int)c); }
/* \s, which is ASCII */
static inline bool is_white(okt_char c) { return c == ' ' || (c >= 9 && c <= 13); }

/* Character.isSpaceChar: Unicode's space, line and paragraph separators */
static inline bool is_space_char(okt_char c) {
    return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

/* ---- Hangul ---- */

enum { HANGUL_FIRST = U'가', HANGUL_LAST = U'힣', JAMO_FIRST = U'ㄱ', JAMO_LAST = U'ㅣ' };
/* Codas and the vowel that rules speak of. */
enum { CODA_NIEUN = 4, CODA_RIEUL = 8, CODA_KIEUK = 24, CODA_HIEUH = 27, ONSET_IEUNG = 11, VOWEL_I = 20 };

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
