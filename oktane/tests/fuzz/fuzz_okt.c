/* Fuzzes oktane's core with libFuzzer under AddressSanitizer and UndefinedBehaviorSanitizer.
 *
 * Needs clang with its sanitizers (Debian: clang, libclang-rt-14-dev), and a packed dictionary: the file that oktane
 * leaves in the user's cache folder when it is first used. From the project's folder:
 *
 *     clang -std=c11 -g -O1 -ffp-contract=off -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
 *         -Dmalloc=limited_malloc -Dcalloc=limited_calloc -Drealloc=limited_realloc -Ioktane/src/oktane/core \
 *         oktane/tests/fuzz/fuzz_okt.c $(ls oktane/src/oktane/core/[a-z]*.c) -o fuzz_okt
 *     OKT_DICTIONARY=$(ls -t ~/.cache/oktane/[0-9a-f]* | head -1) ./fuzz_okt -max_len=400 -max_total_time=600
 *
 * The three -D let allocations of the core (but none of libFuzzer's) run out of memory where the fuzzer wants it.
 */
#undef malloc
#undef calloc
#undef realloc
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unicode.h"
#include "workspace.h"

/* ---- memory that runs out ---- */

static size_t allocations_left = SIZE_MAX; /* SIZE_MAX: no end */

static bool runs_out(void) {
    if (allocations_left == 0) return true;
    if (allocations_left != SIZE_MAX) allocations_left--;
    return false;
}

void *limited_malloc(size_t size);
void *limited_calloc(size_t count, size_t size);
void *limited_realloc(void *memory, size_t size);

void *limited_malloc(size_t size) { return runs_out() ? NULL : malloc(size); }
void *limited_calloc(size_t count, size_t size) { return runs_out() ? NULL : calloc(count, size); }
void *limited_realloc(void *memory, size_t size) { return runs_out() ? NULL : realloc(memory, size); }

/* ---- input bytes to a text ---- */

/* Bytes of few bits of information make texts that the algorithm has much to do with: ASCII is itself; 0x80 to 0xAB
 * and the next byte a syllable; 0xAC a jamo; 0xAD and 0xAE any character of the basic and of a higher plane; every
 * byte above one of these. */
static const okt_char frequent[] =
    U"하다이는가을를에의도은로지고해서인있없안못것수들그저나너우리영화정말너무좋아요네습니까죠임됨함었았겠"
    U"ㅋㅎㅠㅜ인데지가님적과와만김박최";

static size_t decode(const uint8_t *data, size_t size, okt_char *text) {
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = data[i], next = i + 1 < size ? data[i + 1] : 0, after = i + 2 < size ? data[i + 2] : 0;
        if (byte < 0x80) {
            text[length++] = byte;
        } else if (byte < 0xAC) {
            okt_char c = HANGUL_FIRST + ((byte - 0x80) << 8 | next);
            text[length++] = c <= HANGUL_LAST ? c : HANGUL_LAST;
            i++;
        } else if (byte == 0xAC) {
            text[length++] = JAMO_FIRST + next % (JAMO_LAST - JAMO_FIRST + 1);
            i++;
        } else if (byte <= 0xAE) {
            text[length++] = (byte - 0xAD) * 0x10000u + (next << 8 | after);
            i += 2;
        } else {
            text[length++] = frequent[(byte - 0xAF) % (sizeof frequent / sizeof *frequent - 1)];
        }
    }
    return length;
}

/* ---- what must hold ---- */

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort(); \
        } \
    } while (0)

static void check_tokens(const okt_tokens *tokens, size_t length) {
    uint32_t end = 0;
    for (size_t i = 0; i < tokens->count; i++) {
        const okt_token *token = &tokens->items[i];
        CHECK(token->start == end && token->end > token->start);
        CHECK(token->pos < OKT_POS_COUNT);
        CHECK(token->stem == OKT_NO_STEM || token->pos == OKT_VERB || token->pos == OKT_ADJECTIVE);
        CHECK(!token->unknown || token->pos == OKT_NOUN);
        end = token->end;
    }
    CHECK(end == length);
}

static void check_normalized(const okt_chars *normalized, const okt_spans *origins, size_t length) {
    uint32_t start = 0, end = 0;
    CHECK(normalized->count == origins->count);
    for (size_t i = 0; i < origins->count; i++) {
        okt_span origin = origins->items[i];
        CHECK(origin.start < origin.end);
        CHECK(origin.start >= start && origin.end >= end && origin.start <= end);
        start = origin.start;
        end = origin.end;
    }
    CHECK(end == length);
}

static void check_phrases(const okt_spans *phrases, size_t length) {
    for (size_t i = 0; i < phrases->count; i++)
        CHECK(phrases->items[i].start < phrases->items[i].end && phrases->items[i].end <= length);
}

/* ---- the target ---- */

static okt_dictionary dictionary;

static bool analyze(okt_workspace *w, const okt_char *text, size_t length) {
    return okt_tokenize(w->tokenizer, &dictionary, text, length, &w->tokens) &&
           okt_extract_phrases(w->phraser, text, &w->tokens, &w->phrases) &&
           okt_normalize(w->normalizer, w->tokenizer, &dictionary, text, length, &w->normalized, &w->origins);
}

static void load_dictionary(void) {
    const char *path = getenv("OKT_DICTIONARY");
    FILE *file = path ? fopen(path, "rb") : NULL;
    if (!file) {
        fprintf(stderr, "OKT_DICTIONARY must name oktane's packed dictionary\n");
        exit(2);
    }
    fseek(file, 0, SEEK_END);
    size_t size = (size_t)ftell(file);
    rewind(file);
    void *packed = malloc(size);
    if (!packed || fread(packed, 1, size, file) != size || !okt_dictionary_open(&dictionary, packed, size)) {
        fprintf(stderr, "%s is no packed dictionary of this version\n", path);
        exit(2);
    }
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static okt_workspace *used; /* by all texts before */
    if (!used) {
        load_dictionary();
        used = okt_workspace_new();
    }
    if (size < 2) return 0;

    okt_char *text = malloc((size - 1) * sizeof *text); /* its own block: reading past its end shows */
    size_t length = decode(data + 1, size - 1, text);
    text = realloc(text, length * sizeof *text);

    /* The first byte: after how many allocations memory runs out, in a fresh workspace. */
    allocations_left = data[0] % 64;
    okt_workspace *fresh = okt_workspace_new();
    bool done = fresh && analyze(fresh, text, length);
    allocations_left = SIZE_MAX;
    if (fresh && !done) CHECK(analyze(fresh, text, length));

    CHECK(analyze(used, text, length));
    check_tokens(&used->tokens, length);
    check_normalized(&used->normalized, &used->origins, length);
    check_phrases(&used->phrases, length);
    if (fresh) { /* the same answer as in a workspace that has seen other texts */
        CHECK(fresh->tokens.count == used->tokens.count && fresh->normalized.count == used->normalized.count &&
              fresh->phrases.count == used->phrases.count);
        for (size_t i = 0; i < used->tokens.count; i++)
            CHECK(fresh->tokens.items[i].start == used->tokens.items[i].start &&
                  fresh->tokens.items[i].pos == used->tokens.items[i].pos &&
                  fresh->tokens.items[i].stem == used->tokens.items[i].stem);
        if (used->normalized.count)
            CHECK(!memcmp(fresh->normalized.items, used->normalized.items,
                          used->normalized.count * sizeof(okt_char)));
    }
    okt_workspace_free(fresh);
    free(text);
    return 0;
}
