/* The types that the modules of oktane's core share.
 *
 * The algorithm is Open Korean Text 2.1.0's (Apache-2.0); every .c file names the Scala file its rules come from.
 *
 * A text goes through it like this, with norm and stem asked for. Scores are costs, and `|` begins a new word:
 *
 *   영화는재밌었어욬ㅋㅋ a.kr/b
 *     normalizer   영화는재밌었어요ㅋㅋ a.kr/b      (ㅋ was typed into 요; each character knows where it came from)
 *     chunker      영화는재밌었어요/Korean ㅋㅋ/KoreanParticle " "/Space a.kr/b/URL
 *     search       of the Korean chunk, the best parses that end after ...
 *                  2 syllables: 영화/Noun 1.4749, 영/Modifier 화/Noun 2.36, 영/Noun 화/Suffix 2.36, ...
 *                  3 syllables: 영화/Noun 는/Josa 1.7075, 영화/Noun | 는/Josa 2.0075, ...
 *                  6 syllables: 영화/Noun 는/Josa | 재밌었/Adjective 2.805, ...
 *                  8, the whole: 영화/Noun 는/Josa | 재밌었/Adjective 어요/Eomi 2.9937
 *     stemmer      영화/Noun 는/Josa 재밌었어요/Adjective, whose stem is 재밌다
 *     tokenizer    영화 는 재밌다 ㅋㅋ " " a.kr/b
 *     phrases      영화
 *
 * Texts are arrays of code points. A function that can run out of memory returns false if it does. One that has an
 * okt_interrupt also returns false if it was told to end. Every buffer can then be used again and freed. Nothing here knows Python, and nothing is shared between
 * threads but the dictionary, which is never written to.
 *
 * Each module includes only modules to its right:
 * batch -> workspace -> normalizer, phrases -> tokenizer -> chunker, search -> stemmer -> patterns, grammar, dictionary
 * -> index, text, unicode -> okt -> array, interrupt. packer makes the dictionary.
 */
#ifndef OKT_H
#define OKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "array.h"
#include "interrupt.h"

typedef uint32_t okt_char; /* one code point */

/* Parts of speech, numbered as in KoreanPos.scala: the numbers break ties. */
typedef enum {
    OKT_NOUN, OKT_VERB, OKT_ADJECTIVE, OKT_ADVERB, OKT_DETERMINER, OKT_EXCLAMATION, OKT_JOSA, OKT_EOMI, OKT_PRE_EOMI,
    OKT_CONJUNCTION, OKT_MODIFIER, OKT_VERB_PREFIX, OKT_SUFFIX, OKT_UNKNOWN,
    OKT_KOREAN, OKT_FOREIGN, OKT_NUMBER, OKT_KOREAN_PARTICLE, OKT_ALPHA, OKT_PUNCTUATION, OKT_HASHTAG, OKT_SCREEN_NAME,
    OKT_EMAIL, OKT_URL, OKT_CASH_TAG, OKT_SPACE, OKT_OTHERS, OKT_PROPER_NOUN,
    OKT_POS_COUNT
} okt_pos;

/* A set of word lists, as a bit mask: the parts of speech that have a word list (OKT_NOUN to OKT_SUFFIX), and three
 * lists of names. */
typedef uint32_t okt_lists;
#define OKT_LIST(pos) ((okt_lists)1 << (pos))
#define OKT_FULL_NAME ((okt_lists)1 << 13)
#define OKT_GIVEN_NAME ((okt_lists)1 << 14)
#define OKT_FAMILY_NAME ((okt_lists)1 << 15)
#define OKT_PARTS_OF_SPEECH (OKT_FULL_NAME - 1)

/* The characters [start, end) of a text. */
typedef struct {
    uint32_t start, end;
} okt_span;

typedef struct {
    uint32_t start, end; /* its characters: text[start:end] */
    uint32_t stem;       /* of a verb or adjective: number of its stem (okt_stem), else OKT_NO_STEM */
    uint8_t pos;         /* an okt_pos */
    bool unknown;        /* a noun that is in no word list */
} okt_token;
#define OKT_NO_STEM UINT32_MAX

typedef OKT_ARRAY(okt_char) okt_chars;
typedef OKT_ARRAY(okt_token) okt_tokens;
typedef OKT_ARRAY(okt_span) okt_spans;

#endif
