/* What the modules of oktane's core share: texts, tokens, the dictionary, and what each module offers.
 *
 * The algorithm is Open Korean Text 2.1.0's (Apache-2.0); every .c file names the Scala file its rules come from.
 * Texts are arrays of code points. Functions that can run out of memory return OKT_OK or OKT_NO_MEMORY, and leave
 * every buffer in a state that can be used again and freed. Nothing here knows Python, and nothing is shared between
 * threads but the dictionary, which is never written to.
 */
#ifndef OKT_H
#define OKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint32_t okt_char; /* one code point */

enum { OKT_OK = 0, OKT_NO_MEMORY = -1 };

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

/* Growing arrays. All zeros is an empty one; buffers are kept from text to text. */
typedef struct {
    okt_char *items;
    size_t count, capacity;
} okt_chars;

typedef struct {
    okt_token *items;
    size_t count, capacity;
} okt_tokens;

typedef struct {
    okt_span *items;
    size_t count, capacity;
} okt_spans;

/* Makes room for `count` items in one of the arrays above: OKT_RESERVE(&tokens, n) is OKT_OK or OKT_NO_MEMORY.
 * `items` points to a pointer of any type. */
int okt_reserve(void *items, size_t *capacity, size_t count, size_t item_size);
#define OKT_RESERVE(array, n) okt_reserve(&(array)->items, &(array)->capacity, (n), sizeof *(array)->items)

/* ---- hangul.h is all inline: composing and decomposing syllables ---- */

/* ---- dictionary.c: word lists packed into one trie ---- */
typedef struct okt_dictionary okt_dictionary; /* read-only; shared by threads */

/* The lists that hold the word of `length` characters, 0 for none. */
okt_lists okt_lookup(const okt_dictionary *dictionary, const okt_char *word, size_t length);

/* The correction of a typo of `length` characters (typos.txt), or NULL. */
const okt_char *okt_typo(const okt_dictionary *dictionary, const okt_char *word, size_t length,
                         size_t *correction_length);

/* ---- the buffers that one thread needs, whatever the text ---- */
typedef struct okt_workspace okt_workspace;

/* ---- tokenizer.c: a whole text; KoreanTokenizer.scala's tokenize, stems included ---- */
/* Replaces `tokens`, spaces (OKT_SPACE) included. `text` must not move meanwhile. */
int okt_tokenize(const okt_dictionary *dictionary, okt_workspace *workspace, const okt_char *text, size_t length,
                 okt_tokens *tokens);

/* ---- normalizer.c: KoreanNormalizer.scala's normalize ---- */
/* Replaces `normalized` by the normal form of `text`, and `origins` by one span for each character of it: where in
 * `text` it came from (a kept character: itself; one that stands for others: all of those). Origins run upward:
 * neither start nor end ever falls from one character to the next. */
int okt_normalize(const okt_dictionary *dictionary, okt_workspace *workspace, const okt_char *text, size_t length,
                  okt_chars *normalized, okt_spans *origins);

/* ---- phrases.c: KoreanPhraseExtractor.scala's extractPhrases(tokens, filterSpam = false, addHashtags = false) ---- */
/* Replaces `phrases` by the noun phrases of a tokenized text, in the order that Okt gives them. */
int okt_extract_phrases(okt_workspace *workspace, const okt_char *text, const okt_tokens *tokens, okt_spans *phrases);

/* ---- the workspace: each module has its own part, and only touches that ---- */
typedef struct okt_search okt_search;         /* search.c */
typedef struct okt_chunks okt_chunks;         /* chunker.c */
typedef struct okt_normalizer okt_normalizer; /* normalizer.c */
typedef struct okt_phraser okt_phraser;       /* phrases.c */

struct okt_workspace {
    okt_search *search;
    okt_chunks *chunks;
    okt_normalizer *normalizer;
    okt_phraser *phraser;
    okt_tokens chunked; /* tokenizer.c: the chunks of a text */
};

/* Makes an empty workspace (NULL: no memory); frees one with all its parts (NULL is allowed). */
okt_workspace *okt_workspace_new(void);
void okt_workspace_free(okt_workspace *workspace);

/* Each module makes its part on first use, and frees it; freeing NULL is allowed. */
void okt_search_free(okt_search *search);
void okt_chunks_free(okt_chunks *chunks);
void okt_normalizer_free(okt_normalizer *normalizer);
void okt_phraser_free(okt_phraser *phraser);

#endif
