/* The patterns of URLs, mail addresses, mentions, hash tags and cash tags. Source of the rules: KoreanChunker.scala
 * (Email) and twitter-text 1.14.7's Regex.java (the others), as java.util.regex runs them.
 *
 * Each finder gives what the regular expression's find() gives, in time that is linear in the piece: where the
 * expression may backtrack, the comment says why one way is the only one or which way comes first.
 */
#include "patterns.h"

#include "unicode.h"

typedef struct {
    okt_char first, last;
} char_range;

#include "patterns_tables.inc"

static bool in_ranges(okt_char c, const char_range *ranges, size_t count) {
    while (count) {
        size_t middle = count / 2;
        if (c < ranges[middle].first) {
            count = middle;
        } else if (c > ranges[middle].last) {
            ranges += middle + 1;
            count -= middle + 1;
        } else {
            return true;
        }
    }
    return false;
}

/* LATIN_ACCENTS_CHARS */
static bool is_accented_latin(okt_char c) {
    static const char_range accented[] = {{0xC0, 0xD6}, {0xD8, 0xF6}, {0xF8, 0x24F}, {0x253, 0x254}, {0x256, 0x257},
                                         {0x259, 0x259}, {0x25B, 0x25B}, {0x263, 0x263}, {0x268, 0x268}, {0x26F, 0x26F},
                                         {0x272, 0x272}, {0x289, 0x289}, {0x28B, 0x28B}, {0x2BB, 0x2BB}, {0x300, 0x36F},
                                         {0x1E00, 0x1EFF}};
    return in_ranges(c, accented, OKT_COUNT(accented));
}

static bool is_word_char(okt_char c) { return is_alnum(c) || c == '_'; } /* [a-z0-9_] */
static bool is_at(okt_char c) { return c == '@' || c == U'＠'; }
static bool is_hash(okt_char c) { return c == '#' || c == U'＃'; }
static bool is_cyrillic(okt_char c) { return c >= 0x400 && c <= 0x4FF; }

/* text[at:] begins with the letters of an ASCII word, in either case. */
static bool begins_with(const okt_piece *piece, uint32_t at, const char *word) {
    for (; *word; word++, at++)
        if (at >= piece->length || (piece->text[at] | (is_letter(piece->text[at]) ? 32 : 0)) != (okt_char)*word)
            return false;
    return true;
}

/* What a finder returns for a match. */
static bool found(okt_span *match, uint32_t start, uint32_t end) {
    *match = (okt_span){start, end};
    return true;
}

/* ---- Email: [\p{Alnum}\.\-_]+@[\p{Alnum}\.]+ ---- */

static bool is_mailbox_char(okt_char c) { return is_word_char(c) || c == '.' || c == '-'; }

bool okt_find_email(const okt_piece *piece, uint32_t from, okt_span *match) {
    for (uint32_t at = from; at < piece->length && okt_goes_on(piece->interrupt, 1); at++) {
        if (piece->text[at] != '@') continue;
        uint32_t start = at, end = at + 1;
        while (start > from && is_mailbox_char(piece->text[start - 1])) start--;
        while (end < piece->length && (is_alnum(piece->text[end]) || piece->text[end] == '.')) end++;
        if (start < at && end > at + 1) return found(match, start, end);
    }
    return false;
}

/* ---- ScreenName: VALID_MENTION_OR_LIST
 * ([^a-z0-9_!#$%&*@＠]|^|(?:^|[^a-z0-9_+~.-])RT:?)([@＠]+)([a-z0-9_]{1,20})(/[a-z][a-z0-9_\-]{0,24})? ---- */

/* The end of [@＠]+ name list? at a place, or 0. The name cannot begin with @, so @+ never gives one back. */
static uint32_t mention_end(const okt_piece *piece, uint32_t at) {
    const okt_char *text = piece->text;
    uint32_t name = at;
    while (name < piece->length && is_at(text[name])) name++;
    uint32_t end = name;
    while (end < piece->length && end - name < 20 && is_word_char(text[end])) end++;
    if (name == at || end == name) return 0;
    if (end + 1 < piece->length && text[end] == '/' && is_letter(text[end + 1])) {
        uint32_t list = end + 1;
        end = list + 1;
        while (end < piece->length && end - list < 25 && (is_word_char(text[end]) || text[end] == '-')) end++;
    }
    return end;
}

/* The end of RT:? and a mention, or 0. */
static uint32_t retweet_end(const okt_piece *piece, uint32_t at) {
    if (!begins_with(piece, at, "rt")) return 0;
    at += 2;
    if (at < piece->length && piece->text[at] == ':') at++;
    return mention_end(piece, at);
}

bool okt_find_screen_name(const okt_piece *piece, uint32_t from, okt_span *match) {
    for (uint32_t at = from; at < piece->length && okt_goes_on(piece->interrupt, 1); at++) {
        okt_char c = piece->text[at];
        uint32_t end = 0;
        if (!is_word_char(c) && !is_one_of(c, "!#$%&*@") && !is_at(c)) end = mention_end(piece, at + 1);
        if (!end && at == 0) end = mention_end(piece, 0);
        if (!end && at == 0) end = retweet_end(piece, 0);
        if (!end && !is_word_char(c) && !is_one_of(c, "+~.-")) end = retweet_end(piece, at + 1);
        if (end) return found(match, at, end);
    }
    return false;
}

/* ---- Hashtag: VALID_HASHTAG
 * (^|\uFE0E|\uFE0F|[^&LETTERS_NUMERALS])(#|＃)(?!\uFE0F|\u20E3)(LETTERS_NUMERALS* LETTERS LETTERS_NUMERALS*) ---- */

static bool is_hashtag_letter(okt_char c) {
    return is_syllable(c) || in_ranges(c, hashtag_letters, OKT_COUNT(hashtag_letters));
}
static bool is_hashtag_char(okt_char c) {
    return is_hashtag_letter(c) || in_ranges(c, hashtag_numerals, OKT_COUNT(hashtag_numerals));
}

/* The end of a tag whose # stands at a place, or 0: the whole run of characters, if one of them is a letter. */
static uint32_t hashtag_end(const okt_piece *piece, uint32_t at) {
    if (at >= piece->length || !is_hash(piece->text[at])) return 0;
    bool has_letter = false;
    uint32_t end = at + 1;
    if (end < piece->length && (piece->text[end] == 0xFE0F || piece->text[end] == 0x20E3)) return 0;
    for (; end < piece->length && is_hashtag_char(piece->text[end]); end++)
        has_letter = has_letter || is_hashtag_letter(piece->text[end]);
    return has_letter ? end : 0;
}

bool okt_find_hashtag(const okt_piece *piece, uint32_t from, okt_span *match) {
    for (uint32_t at = from; at < piece->length && okt_goes_on(piece->interrupt, 1); at++) {
        okt_char c = piece->text[at];
        uint32_t end = at == 0 ? hashtag_end(piece, 0) : 0;
        if (!end && at + 1 < piece->length && is_hash(piece->text[at + 1]) &&
            (c == 0xFE0E || c == 0xFE0F || (c != '&' && !is_hashtag_char(c))))
            end = hashtag_end(piece, at + 1);
        if (end) return found(match, at, end);
    }
    return false;
}

/* ---- CashTag: VALID_CASHTAG
 * (^|UNICODE_SPACES)(\$)([a-z]{1,6}(?:[._][a-z]{1,2})?)(?=$|\s|\p{Punct}) ---- */

static bool is_unicode_space(okt_char c) {
    return is_space_char(c) || is_white(c) || c == 0x85 || c == 0x180E;
}

/* (?=$|\s|\p{Punct}); $ also matches before one final line terminator, and a piece holds no white space. */
static bool cash_tag_may_end(const okt_piece *piece, uint32_t at) {
    if (at == piece->length) return true;
    okt_char c = piece->text[at];
    return is_punct(c) || (at == piece->length - 1 && (c == 0x85 || c == 0x2028 || c == 0x2029));
}

/* The end of a tag whose $ stands at a place, or 0. Fewer letters than there are leave a letter next, which ends
 * nothing; the part after the dot may give back its letters, then itself. */
static uint32_t cash_tag_end(const okt_piece *piece, uint32_t at) {
    const okt_char *text = piece->text;
    if (at >= piece->length || text[at] != '$') return 0;
    uint32_t end = at + 1;
    while (end < piece->length && end - at <= 7 && is_letter(text[end])) end++;
    if (end == at + 1 || end - at > 7) return 0;
    if (end + 1 < piece->length && (text[end] == '.' || text[end] == '_') && is_letter(text[end + 1])) {
        if (end + 2 < piece->length && is_letter(text[end + 2]) && cash_tag_may_end(piece, end + 3)) return end + 3;
        if (cash_tag_may_end(piece, end + 2)) return end + 2;
    }
    return cash_tag_may_end(piece, end) ? end : 0;
}

bool okt_find_cash_tag(const okt_piece *piece, uint32_t from, okt_span *match) {
    for (uint32_t at = from; at < piece->length && okt_goes_on(piece->interrupt, 1); at++) {
        uint32_t end = at == 0 ? cash_tag_end(piece, 0) : 0;
        if (!end && is_unicode_space(piece->text[at])) end = cash_tag_end(piece, at + 1);
        if (end) return found(match, at, end);
    }
    return false;
}

/* ---- URL: VALID_URL
 * (PRECEDING)((https?://)?(DOMAIN)(?::([0-9]++))?(/PATH*+)?(\?QUERY* QUERY_ENDING)?) ---- */

/* URL_VALID_CHARS, of which labels are made */
static bool is_label_char(okt_char c) { return is_alnum(c) || is_accented_latin(c); }

/* Top-level domains. A domain in ASCII is a whole run of letters and digits, for none may follow it, nor @: so its
 * place in the list does not matter. */
static bool is_ascii_domain(const okt_piece *piece, uint32_t start, uint32_t end, const char *const *list,
                            size_t count) {
    while (count) {
        size_t middle = count / 2;
        const char *word = list[middle];
        uint32_t i = start;
        while (i < end && *word && (piece->text[i] | 32) == (okt_char)(*word | 32)) i++, word++;
        if (i == end && !*word) return true;
        bool before = i == end || (*word && (piece->text[i] | 32) < (okt_char)(*word | 32));
        if (before) {
            count = middle;
        } else {
            list += middle + 1;
            count -= middle + 1;
        }
    }
    return false;
}

static uint32_t ascii_domain_end(const okt_piece *piece, uint32_t at, const char *const *list, size_t count) {
    uint32_t end = at;
    while (end < piece->length && is_alnum(piece->text[end])) end++;
    if (end == at || (end < piece->length && piece->text[end] == '@')) return 0;
    return is_ascii_domain(piece, at, end, list, count) ? end : 0;
}

static uint32_t other_domain_end(const okt_piece *piece, uint32_t at, const okt_char *list) {
    while (*list) {
        uint32_t end = at;
        while (*list && end < piece->length && piece->text[end] == *list) end++, list++;
        if (!*list && (end == piece->length || !(is_alnum(piece->text[end]) || piece->text[end] == '@'))) return end;
        while (*list) list++;
        list++;
    }
    return 0;
}

static uint32_t generic_domain_end(const okt_piece *piece, uint32_t at) {
    uint32_t end = ascii_domain_end(piece, at, generic_domains, OKT_COUNT(generic_domains));
    return end ? end : other_domain_end(piece, at, generic_domains_not_ascii);
}

static uint32_t country_domain_end(const okt_piece *piece, uint32_t at) {
    uint32_t end = ascii_domain_end(piece, at, country_domains, OKT_COUNT(country_domains));
    return end ? end : other_domain_end(piece, at, country_domains_not_ascii);
}

static uint32_t punycode_end(const okt_piece *piece, uint32_t at) {
    if (!begins_with(piece, at, "xn--")) return 0;
    uint32_t end = at + 4;
    while (end < piece->length && is_alnum(piece->text[end])) end++;
    return end > at + 4 ? end : 0;
}

/* SPECIAL_URL_VALID_CCTLD */
static uint32_t special_domain_end(const okt_piece *piece, uint32_t at) {
    static const char *const special[] = {"co", "tv"};
    return ascii_domain_end(piece, at, special, OKT_COUNT(special));
}

void okt_prepare_urls(okt_piece *piece) {
    const okt_char *text = piece->text;
    uint32_t n = piece->length;
    /* From the right: a label (C[C\-_]*)?C\. runs to the dot that ends its run, if a C stands before that dot. */
    uint32_t subdomain = 0, domain = 0;  /* where the label that the place belongs to ends */
    uint32_t top_level = 0;              /* the top-level domain after `domain` ends here */
    piece->subdomain_end[n] = piece->domain_end[n] = piece->name_end[n] = 0;
    for (uint32_t at = n; at-- > 0 && okt_goes_on(piece->interrupt, 1);) {
        okt_char c = text[at];
        bool label_char = is_label_char(c);
        if (c == '.') {
            subdomain = domain = at > 0 && is_label_char(text[at - 1]) ? at + 1 : 0;
            if (domain) {
                top_level = generic_domain_end(piece, domain);
                if (!top_level) top_level = country_domain_end(piece, domain);
                if (!top_level) top_level = punycode_end(piece, domain);
            }
        } else if (!label_char && c != '-') {
            domain = 0;
            if (c != '_') subdomain = 0;
        }
        piece->subdomain_end[at] = label_char ? subdomain : 0;
        piece->domain_end[at] = label_char ? domain : 0;
        /* SUBDOMAIN* is greedy: the last label that a top-level domain follows is tried first. */
        uint32_t name = piece->subdomain_end[at] ? piece->name_end[subdomain] : 0;
        piece->name_end[at] = name ? name : piece->domain_end[at] ? top_level : 0;
    }
}

/* URL_VALID_UNICODE_CHARS: [.[^\p{Punct}\s\p{Z}\p{InGeneralPunctuation}]]; a piece holds no \s */
static bool is_unicode_domain_char(okt_char c) {
    return c == '.' || !(is_punct(c) || is_space_char(c) || (c >= 0x2000 && c <= 0x206F));
}

/* UNICODE_CHARS+ \. (?:GTLD|CCTLD): from the last dot that a top-level domain follows */
static uint32_t unicode_name_end(const okt_piece *piece, uint32_t at) {
    uint32_t dot = at;
    while (dot < piece->length && is_unicode_domain_char(piece->text[dot])) dot++;
    while (dot-- > at + 1) {
        if (piece->text[dot] != '.') continue;
        uint32_t end = generic_domain_end(piece, dot + 1);
        if (!end) end = country_domain_end(piece, dot + 1);
        if (end) return end;
    }
    return 0;
}

static bool follows_protocol(const okt_piece *piece, uint32_t at) {
    return (at >= 7 && begins_with(piece, at - 7, "http://")) || (at >= 8 && begins_with(piece, at - 8, "https://"));
}

/* URL_VALID_DOMAIN: its four alternatives in order */
static uint32_t domain_end(const okt_piece *piece, uint32_t at) {
    uint32_t end = 0, label = piece->subdomain_end[at];
    if (label) end = piece->name_end[label];
    if (end) return end;
    label = piece->domain_end[at];
    if (label) {
        end = generic_domain_end(piece, label);
        if (!end) end = punycode_end(piece, label);
        if (!end) end = special_domain_end(piece, label);
        if (end) return end;
    }
    uint32_t country = label ? country_domain_end(piece, label) : 0;
    if (follows_protocol(piece, at)) {
        if (country) return country;
        end = unicode_name_end(piece, at);
        if (end) return end;
    }
    return country && country < piece->length && piece->text[country] == '/' ? country : 0;
}

/* URL_VALID_GENERAL_PATH_CHARS */
static bool is_path_char(okt_char c) {
    return is_alnum(c) || is_one_of(c, "!*';:=+,.$/%#[]-_~|&@") || is_accented_latin(c) || is_cyrillic(c);
}
/* the single characters of URL_VALID_PATH_ENDING_CHARS */
static bool is_path_ending(okt_char c) {
    return is_alnum(c) || is_one_of(c, "=_#/-+") || is_accented_latin(c) || is_cyrillic(c);
}

static uint32_t path_run_end(const okt_piece *piece, uint32_t at) {
    while (at < piece->length && is_path_char(piece->text[at])) at++;
    return at;
}

/* URL_BALANCED_PARENS: \((?:G+|(?:G*\(G+\)G*))\). G holds no parentheses, so there is one way at most. */
static uint32_t parens_end(const okt_piece *piece, uint32_t at) {
    const okt_char *text = piece->text;
    uint32_t n = piece->length;
    if (at >= n || text[at] != '(') return 0;
    uint32_t run = path_run_end(piece, at + 1);
    if (run < n && text[run] == ')') return run > at + 1 ? run + 1 : 0;
    if (run >= n || text[run] != '(') return 0;
    uint32_t inner = path_run_end(piece, run + 1);
    if (inner == run + 1 || inner >= n || text[inner] != ')') return 0;
    uint32_t outer = path_run_end(piece, inner + 1);
    return outer < n && text[outer] == ')' ? outer + 1 : 0;
}

/* URL_VALID_PATH*+: G*(?:PARENS G*)*ENDING. Backtracking gives up G by G of the last run, then takes its PARENS as the
 * ending. A second round finds no ending in what the first one gave up, nor does the alternative @G+/, for / is an
 * ending. */
static uint32_t path_end(const okt_piece *piece, uint32_t at) {
    uint32_t start = at, run_start = at, end = path_run_end(piece, at), parens;
    while ((parens = parens_end(piece, end))) {
        run_start = parens;
        end = path_run_end(piece, parens);
    }
    while (end > run_start && !is_path_ending(piece->text[end - 1])) end--;
    return end > run_start || run_start > start ? end : start;
}

static bool is_query_char(okt_char c) { return is_alnum(c) || is_one_of(c, "!?*'();:&=+$/%#[]-_.,~|@"); }
static bool is_query_ending(okt_char c) { return is_alnum(c) || is_one_of(c, "_&=#/"); }

/* (\?QUERY* QUERY_ENDING)? */
static uint32_t query_end(const okt_piece *piece, uint32_t at) {
    if (at >= piece->length || piece->text[at] != '?') return at;
    uint32_t end = at + 1;
    while (end < piece->length && is_query_char(piece->text[end])) end++;
    while (end > at + 1 && !is_query_ending(piece->text[end - 1])) end--;
    return end > at + 1 ? end : at;
}

static uint32_t url_end(const okt_piece *piece, uint32_t at) {
    uint32_t end = 0;
    if (begins_with(piece, at, "http://")) end = domain_end(piece, at + 7);
    if (begins_with(piece, at, "https://")) end = domain_end(piece, at + 8);
    if (!end) end = domain_end(piece, at);
    if (!end) return 0;
    if (end + 1 < piece->length && piece->text[end] == ':' && is_digit(piece->text[end + 1]))
        for (end++; end < piece->length && is_digit(piece->text[end]);) end++;
    if (end < piece->length && piece->text[end] == '/') end = path_end(piece, end + 1);
    return query_end(piece, end);
}

bool okt_find_url(const okt_piece *piece, uint32_t from, okt_span *match) {
    for (uint32_t at = from; at < piece->length && okt_goes_on(piece->interrupt, 1); at++) {
        okt_char c = piece->text[at];
        /* URL_VALID_PRECEEDING_CHARS: one character, or the beginning */
        bool may_precede = !(is_alnum(c) || is_at(c) || is_hash(c) || c == '$' || (c >= 0x202A && c <= 0x202E));
        uint32_t end = may_precede ? url_end(piece, at + 1) : 0;
        if (!end && at == 0) end = url_end(piece, 0);
        if (end) return found(match, at, end);
    }
    return false;
}
