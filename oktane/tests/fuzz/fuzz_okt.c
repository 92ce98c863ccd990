/* Fuzzes the analysis of texts: normalizing, tokenizing, extracting phrases. How to build it is told in fuzzing.h; it
 * needs a packed dictionary:
 *
 *     OKT_DICTIONARY=path/to/packed ./fuzz_okt -max_len=400 -max_total_time=600
 */
#include "fuzzing.h"
#include "workspace.h"

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
        used = okt_workspace_new(NULL);
    }
    if (size < 2) return 0;

    okt_char *text = malloc((size - 1) * sizeof *text); /* its own block: reading past its end shows */
    size_t length = decode(data + 1, size - 1, text);
    text = realloc(text, length * sizeof *text);

    /* The first byte: after how many allocations memory runs out, in a fresh workspace. */
    allocations_left = data[0] % 64;
    okt_workspace *fresh = okt_workspace_new(NULL);
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
