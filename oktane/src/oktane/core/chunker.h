/* Splitting a text into pieces of one kind (chunker.c), and the patterns that it tries (patterns.c). */
#ifndef OKT_CHUNKER_H
#define OKT_CHUNKER_H

#include "okt.h"

/* Replaces `chunks` by the chunks of the text, which cover it: OKT_KOREAN for what is to be parsed, otherwise what the
 * token will be. */
int okt_chunk(okt_workspace *workspace, const okt_char *text, size_t length, okt_tokens *chunks);

/* A piece: text between white space, on which every pattern is tried. Its characters are piece->text[0:length]. */
typedef struct {
    const okt_char *text;
    uint32_t length;
    /* For find_url, filled by prepare_urls; by place. End of a label and its dot that starts here, with underscores
     * allowed or not; end of the longest dotted name that starts here and ends in a top-level domain. 0: none. */
    uint32_t *subdomain_end, *domain_end, *name_end;
} okt_piece;

/* The first match of a pattern at or after `from`: true, and its span. */
typedef bool okt_finder(const okt_piece *piece, uint32_t from, okt_span *match);
okt_finder okt_find_url, okt_find_email, okt_find_screen_name, okt_find_hashtag, okt_find_cash_tag;

/* Fills the piece's arrays, which have room for its length + 1. */
void okt_prepare_urls(okt_piece *piece);

/* ASCII classes. A Java class that ignores case does so in ASCII only. */
static inline bool is_digit(okt_char c) { return c >= '0' && c <= '9'; }
static inline bool is_letter(okt_char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; }
static inline bool is_alnum(okt_char c) { return is_digit(c) || is_letter(c); }
static inline bool is_punct(okt_char c) { return c > ' ' && c < 0x7F && !is_alnum(c); }
/* Character.isSpaceChar: Unicode's space, line and paragraph separators */
static inline bool is_space_char(okt_char c) {
    return c == 0x20 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
           c == 0x202F || c == 0x205F || c == 0x3000;
}

#endif
