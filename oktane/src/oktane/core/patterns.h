/* The patterns of URLs, mail addresses, mentions, hash tags and cash tags. */
#ifndef OKT_PATTERNS_H
#define OKT_PATTERNS_H

#include "okt.h"

/* A piece: text between white space, on which every pattern is tried. Its characters are piece->text[0:length]. */
typedef struct {
    const okt_char *text;
    uint32_t length;
    okt_interrupt *interrupt;
    /* For okt_find_url, filled by okt_prepare_urls; by position. End of a label and its dot that starts here, with
     * underscores allowed or not; end of the longest dotted name that starts here and ends in a top-level domain.
     * 0: none. */
    uint32_t *subdomain_end, *domain_end, *name_end;
} okt_piece;

/* The first match of a pattern at or after `from`: true, and its span. None once the interrupt has ended the work. */
typedef bool okt_finder(const okt_piece *piece, uint32_t from, okt_span *match);
okt_finder okt_find_url, okt_find_email, okt_find_screen_name, okt_find_hashtag, okt_find_cash_tag;

/* Fills the piece's arrays, which have room for its length + 1. */
void okt_prepare_urls(okt_piece *piece);

#endif
