/* The packed dictionary: how it lies in memory and in its file, and the steps through its trie.
 *
 * One double-array trie (Aoe 1989) holds every word of every list, every word with a frequency, and every typo. The
 * child of node n by character c is node base(n) + code(c), if that one's parent is n. Only characters that a word can
 * be looked up with have codes: syllables and compatibility jamo; frequent ones have low codes, which keeps siblings
 * close together.
 */
#ifndef OKT_DICTIONARY_H
#define OKT_DICTIONARY_H

#include "unicode.h"

enum { OKT_ALPHABET = HANGUL_LAST - HANGUL_FIRST + 1 + JAMO_LAST - JAMO_FIRST + 1 };

#define OKT_ROOT ((uint32_t)0)
#define OKT_NO_NODE UINT32_MAX

typedef struct {
    uint32_t base;
    uint32_t parent;
    uint32_t value; /* number of its okt_value */
} okt_node;

/* What is known of a word. Many words share a value; that of nodes where no word ends is number 0. */
typedef struct {
    float frequency;   /* entity-freq.txt.gz; 0 where it has none */
    uint16_t lists;    /* an okt_lists */
    uint16_t typo;     /* number of its correction + 1; 0: not a typo */
    uint32_t stems[2]; /* numbers of its stem as a verb and as an adjective, or OKT_NO_STEM */
} okt_value;

/* The file begins with this header; the sections follow in this order, each aligned to 16 bytes; the letters' codes,
 * uint16_t[OKT_ALPHABET], come last. */
typedef struct {
    char magic[8];
    uint32_t format;      /* OKT_FORMAT, as this machine writes integers */
    uint32_t checksum;    /* CRC-32 of everything after this field */
    uint64_t size;        /* of the file, in bytes */
    uint32_t node_count;  /* okt_node[] */
    uint32_t value_count; /* okt_value[] */
    uint32_t stem_count;  /* where each stem's characters begin: uint32_t[stem_count + 1] */
    uint32_t typo_count;  /* where each correction's characters begin: uint32_t[typo_count + 1] */
    uint32_t char_count;  /* okt_char[]: stems, then corrections */
    uint32_t unused;
    uint8_t digest[32];   /* SHA-256 of the word lists, for people and files that name a dictionary */
} okt_header;

#define OKT_MAGIC "oktane\r\n"
enum { OKT_FORMAT = 2, OKT_CHECKED_FROM = offsetof(okt_header, size) };

/* Words of a user that are kept together, or split as the user says, whatever their characters are. They are sorted
 * by their first character; of two with the same one, the longer comes first. */
typedef struct {
    const okt_char *chars; /* word i is chars[starts[i]:starts[i + 1]] */
    const uint32_t *starts;
    const uint8_t *marks; /* by character: the part of speech of its morpheme, with OKT_FIRST where that begins */
    size_t count;
} okt_fixed_words;
enum { OKT_FIRST = 0x80 };

/* Read-only, and shared by threads. */
typedef struct {
    okt_fixed_words fixed; /* not in the packed form: whoever opens a dictionary may set them */
    const okt_header *header;
    const okt_node *nodes;
    const okt_value *values;
    const uint32_t *stem_starts;
    const uint32_t *typo_starts;
    const okt_char *chars;
    const uint16_t *codes;
} okt_dictionary;

/* Where each section lies; the file's size. Shared by reading and packing. */
typedef struct {
    size_t nodes, values, stem_starts, typo_starts, chars, codes, size;
} okt_layout;
okt_layout okt_layout_of(const okt_header *header);

/* Points `dictionary` into a packed one that stays where it is. False if it is none, or not of this format. The
 * checksum is not looked at: the caller has done so. */
bool okt_dictionary_open(okt_dictionary *dictionary, const void *packed, size_t size);

/* The characters of a stem, 다 included. */
static inline const okt_char *okt_stem(const okt_dictionary *dictionary, uint32_t stem, size_t *length) {
    const uint32_t *start = dictionary->stem_starts + stem;
    *length = start[1] - start[0];
    return dictionary->chars + start[0];
}

/* The number of a character in the alphabet, or -1. */
static inline int okt_letter(okt_char c) {
    if (is_syllable(c)) return (int)(c - HANGUL_FIRST);
    if (is_jamo(c)) return (int)(c - JAMO_FIRST) + HANGUL_LAST - HANGUL_FIRST + 1;
    return -1;
}

/* The child of `node` by `c`, or OKT_NO_NODE. */
static inline uint32_t okt_child(const okt_dictionary *dictionary, uint32_t node, okt_char c) {
    int letter = okt_letter(c);
    if (letter < 0) return OKT_NO_NODE;
    /* A character that no word has carries code 0, and no node a child by code 0. */
    uint32_t child = dictionary->nodes[node].base + dictionary->codes[letter];
    return dictionary->nodes[child].parent == node ? child : OKT_NO_NODE;
}

/* The node of a word of `length` characters, or OKT_NO_NODE. */
uint32_t okt_find(const okt_dictionary *dictionary, const okt_char *word, size_t length);

static inline const okt_value *okt_value_of(const okt_dictionary *dictionary, uint32_t node) {
    return &dictionary->values[dictionary->nodes[node].value];
}

/* The lists that hold the word of `length` characters, 0 for none. */
okt_lists okt_lookup(const okt_dictionary *dictionary, const okt_char *word, size_t length);

/* Finds the first of the fixed words in text[from:end]; of several there, the longest. A word that begins or ends with a
 * letter or a digit is not found within a longer run of letters or digits. *marks are those of its characters. */
bool okt_find_fixed(const okt_dictionary *dictionary, const okt_char *text, size_t from, size_t end, okt_span *match,
                    const uint8_t **marks);

/* The correction of a typo of `length` characters (typos.txt), or NULL. */
const okt_char *okt_typo(const okt_dictionary *dictionary, const okt_char *word, size_t length,
                         size_t *correction_length);

#endif
