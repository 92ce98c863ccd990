/* Splitting a text into chunks of one kind. Source of the rules: KoreanChunker.scala.
 *
 * The text is cut at white space first. On each piece the patterns are tried in a fixed order, all matches of one, then
 * of the next; a match that overlaps an earlier pattern's is dropped. What no match covers is foreign.
 *
 * A user's fixed words come before all of this: what stands before and after one is a piece of its own.
 */
#include "chunker.h"

#include <stdlib.h>
#include <string.h>

#include "patterns.h"
#include "unicode.h"

struct okt_chunker {
    okt_interrupt *interrupt;
    OKT_ARRAY(uint8_t) marks; /* of a piece, by character: the kind that covers it, and where a match begins */
    OKT_ARRAY(uint32_t) urls; /* the three arrays of okt_piece */
};

okt_chunker *okt_chunker_new(okt_interrupt *interrupt) {
    okt_chunker *chunker = calloc(1, sizeof *chunker);
    if (chunker) chunker->interrupt = interrupt;
    return chunker;
}

void okt_chunker_free(okt_chunker *chunker) {
    if (!chunker) return;
    free(chunker->marks.items);
    free(chunker->urls.items);
    free(chunker);
}

/* ---- the simple patterns ---- */

/* The first run of characters of a class. */
static bool find_run(const okt_piece *piece, uint32_t from, bool (*is_member)(okt_char), okt_span *match) {
    uint32_t start = from;
    if (!okt_goes_on(piece->interrupt, 1)) return false;
    while (start < piece->length && !is_member(piece->text[start])) start++;
    uint32_t end = start;
    while (end < piece->length && is_member(piece->text[end])) end++;
    *match = (okt_span){start, end};
    return end > start;
}

static bool is_punctuation(okt_char c) { return is_punct(c) || c == U'·' || c == U'…' || c == U'’'; }

static bool find_korean(const okt_piece *piece, uint32_t from, okt_span *match) {
    return find_run(piece, from, is_syllable, match);
}
static bool find_korean_particle(const okt_piece *piece, uint32_t from, okt_span *match) {
    return find_run(piece, from, is_jamo, match);
}
static bool find_alpha(const okt_piece *piece, uint32_t from, okt_span *match) {
    return find_run(piece, from, is_letter, match);
}
static bool find_punctuation(const okt_piece *piece, uint32_t from, okt_span *match) {
    return find_run(piece, from, is_punctuation, match);
}

static uint32_t digits_end(const okt_piece *piece, uint32_t at) {
    while (at < piece->length && is_digit(piece->text[at])) at++;
    return at;
}

/* Number: \$?\p{Digit}+(,\p{Digit}{3})*([/~:\.-]\p{Digit}+)?(천|만|억|조)*(UNIT)?. Nothing after a part that matched
 * can fail, so no part gives anything back. */
static bool find_number(const okt_piece *piece, uint32_t from, okt_span *match) {
    static const okt_char units[][3] = {
        U"%", U"원", U"달러", U"위안", U"옌", U"엔", U"유로", U"등", U"년", U"월", U"일", U"회", U"시간", U"시", U"분", U"초",
    };
    const okt_char *text = piece->text;
    uint32_t n = piece->length, start = from;
    while (start < n && !is_digit(text[start])) start++;
    if (start == n || !okt_goes_on(piece->interrupt, 1)) return false;
    uint32_t end = digits_end(piece, start);
    if (start > from && text[start - 1] == '$') start--;
    while (end + 3 < n && text[end] == ',' && is_digit(text[end + 1]) && is_digit(text[end + 2]) &&
           is_digit(text[end + 3]))
        end += 4;
    if (end + 1 < n && is_one_of(text[end], "/~:.-") && is_digit(text[end + 1]))
        end = digits_end(piece, end + 1);
    while (end < n && (text[end] == U'천' || text[end] == U'만' || text[end] == U'억' || text[end] == U'조')) end++;
    for (size_t i = 0; i < OKT_COUNT(units); i++) {
        uint32_t length = units[i][1] ? 2 : 1;
        if (end + length <= n && text[end] == units[i][0] && (length == 1 || text[end + 1] == units[i][1])) {
            end += length;
            break;
        }
    }
    *match = (okt_span){start, end};
    return true;
}

/* ---- pieces ---- */

/* CHUNKING_ORDER. A pattern is skipped where a character that every match holds is missing. */
enum { HAS_DOMAIN = 1, HAS_AT = 2, HAS_HASH = 4, HAS_DOLLAR = 8, HAS_DIGIT = 16, HAS_LETTER = 32, ALWAYS = 64 };
static const struct {
    okt_finder *find;
    uint8_t pos;
    uint8_t needs;
} patterns[] = {
    {okt_find_url, OKT_URL, HAS_DOMAIN},         {okt_find_email, OKT_EMAIL, HAS_AT},
    {okt_find_screen_name, OKT_SCREEN_NAME, HAS_AT}, {okt_find_hashtag, OKT_HASHTAG, HAS_HASH},
    {okt_find_cash_tag, OKT_CASH_TAG, HAS_DOLLAR},   {find_number, OKT_NUMBER, HAS_DIGIT},
    {find_korean, OKT_KOREAN, ALWAYS},           {find_korean_particle, OKT_KOREAN_PARTICLE, ALWAYS},
    {find_alpha, OKT_ALPHA, HAS_LETTER},         {find_punctuation, OKT_PUNCTUATION, ALWAYS},
};

/* What a piece holds. Every URL has a dot between a letter, digit or accented letter and something that may begin a
 * top-level domain, or else follows ://. */
static unsigned contents_of(const okt_piece *piece) {
    unsigned contents = ALWAYS;
    const okt_char *text = piece->text;
    for (uint32_t i = 0; i < piece->length; i++) {
        okt_char c = text[i];
        if (is_digit(c)) contents |= HAS_DIGIT;
        else if (is_letter(c)) contents |= HAS_LETTER;
        else if (c == '@' || c == U'＠') contents |= HAS_AT;
        else if (c == '#' || c == U'＃') contents |= HAS_HASH;
        else if (c == '$') contents |= HAS_DOLLAR;
        else if (c == '.' && i > 0 && i + 1 < piece->length) {
            okt_char before = text[i - 1], after = text[i + 1];
            if ((is_alnum(before) || (before >= 0xC0 && before <= 0x1EFF)) && (is_letter(after) || after >= 0x80))
                contents |= HAS_DOMAIN;
        } else if (c == ':' && i + 2 < piece->length && text[i + 1] == '/' && text[i + 2] == '/')
            contents |= HAS_DOMAIN;
    }
    return contents;
}

static bool append_chunk(okt_tokens *chunks, uint32_t start, uint32_t end, uint8_t pos) {
    return OKT_APPEND(chunks, (okt_token){.start = start, .end = end, .pos = pos, .stem = OKT_NO_STEM});
}

/* Marks every match that overlaps none before it. */
static void mark_matches(const okt_piece *piece, unsigned contents, uint8_t *marks) {
    memset(marks, OKT_FOREIGN, piece->length);
    for (size_t i = 0; i < OKT_COUNT(patterns); i++) {
        okt_span match = {0, 0};
        if (!(contents & patterns[i].needs)) continue;
        while (patterns[i].find(piece, match.end, &match)) {
            bool disjoint = true;
            for (uint32_t at = match.start; at < match.end && disjoint; at++) disjoint = marks[at] == OKT_FOREIGN;
            if (!disjoint) continue;
            memset(marks + match.start, patterns[i].pos, match.end - match.start);
            marks[match.start] |= OKT_FIRST;
        }
    }
}

/* splitChunks and fillInUnmatched */
static bool chunk_piece(okt_chunker *chunker, const okt_char *text, uint32_t start, uint32_t end, okt_tokens *chunks) {
    okt_piece piece = {.text = text + start, .length = end - start, .interrupt = chunker->interrupt};
    if (is_space_char(text[start])) return append_chunk(chunks, start, end, OKT_SPACE);
    uint32_t syllables = start;
    while (syllables < end && is_syllable(text[syllables])) syllables++;
    if (syllables == end) return append_chunk(chunks, start, end, OKT_KOREAN); /* the usual piece */

    unsigned contents = contents_of(&piece);
    size_t places = (size_t)piece.length + 1;
    if (!OKT_RESERVE(&chunker->marks, places)) return false;
    uint8_t *marks = chunker->marks.items;
    if (contents & HAS_DOMAIN) {
        if (!OKT_RESERVE(&chunker->urls, 3 * places)) return false;
        piece.subdomain_end = chunker->urls.items;
        piece.domain_end = piece.subdomain_end + places;
        piece.name_end = piece.domain_end + places;
        okt_prepare_urls(&piece);
    }
    mark_matches(&piece, contents, marks);
    if (piece.interrupt->ended) return false;
    for (uint32_t at = 0, next; at < piece.length; at = next) {
        uint8_t pos = marks[at] & (OKT_FIRST - 1);
        next = at + 1;
        while (next < piece.length && marks[next] == pos) next++;
        if (!append_chunk(chunks, start + at, start + next, pos)) return false;
    }
    return true;
}

/* The morphemes of a fixed word. */
static bool append_fixed(const uint8_t *marks, okt_span word, okt_tokens *chunks) {
    for (uint32_t at = word.start, next; at < word.end; at = next) {
        next = at + 1;
        while (next < word.end && !(marks[next - word.start] & OKT_FIRST)) next++;
        if (!append_chunk(chunks, at, next, marks[at - word.start] & (OKT_FIRST - 1))) return false;
    }
    return true;
}

/* Cuts what has no white space at its fixed words. */
static bool chunk_around_fixed(okt_chunker *chunker, const okt_dictionary *dictionary, const okt_char *text,
                               uint32_t start, uint32_t end, okt_tokens *chunks) {
    okt_span word;
    const uint8_t *marks;
    for (; start < end && okt_find_fixed(dictionary, text, start, end, &word, &marks); start = word.end) {
        if (word.start > start && !chunk_piece(chunker, text, start, word.start, chunks)) return false;
        if (!append_fixed(marks, word, chunks)) return false;
    }
    return start == end || chunk_piece(chunker, text, start, end, chunks);
}

bool okt_chunk(okt_chunker *chunker, const okt_dictionary *dictionary, const okt_char *text, size_t length,
               okt_tokens *chunks) {
    chunks->count = 0;
    for (uint32_t start = 0, end; start < length; start = end) {
        if (!okt_goes_on(chunker->interrupt, 1)) return false;
        bool white = is_white(text[start]);
        end = start + 1;
        while (end < length && is_white(text[end]) == white) end++;
        if (!chunk_around_fixed(chunker, dictionary, text, start, end, chunks)) return false;
    }
    return true;
}
