/* Fuzzes packing: some of the words are packed at once, the others laid over them. How to build it is told in fuzzing.h:
 *
 *     ./fuzz_packer -max_len=400 -max_total_time=600
 */
#include "fuzzing.h"
#include "packer.h"

enum { MAX_WORDS = 200 };

static int by_chars(const void *a, const void *b) {
    const okt_entry *x = a, *y = b;
    for (uint32_t i = 0; i < x->length && i < y->length; i++)
        if (x->chars[i] != y->chars[i]) return x->chars[i] < y->chars[i] ? -1 : 1;
    return (x->length > y->length) - (x->length < y->length);
}

/* Words are what stands between characters that no word has. Each is in the list of its first letter's number. */
static size_t split_words(const okt_char *text, size_t length, okt_entry *words) {
    size_t count = 0;
    for (size_t start = 0, end; start < length && count < MAX_WORDS; start = end + 1) {
        for (end = start; end < length && okt_letter(text[end]) >= 0;) end++;
        if (end == start) continue;
        uint16_t list = (uint16_t)(1u << okt_letter(text[start]) % 16);
        uint32_t stem = okt_letter(text[start]) % 3 ? OKT_NO_STEM : 0;
        words[count++] = (okt_entry){text + start, (uint32_t)(end - start), 0, {0.5f, list, 0, {stem, OKT_NO_STEM}}};
    }
    return count;
}

/* Sorts words and leaves each once. */
static size_t distinct(okt_entry *words, size_t count) {
    size_t kept = 0;
    qsort(words, count, sizeof *words, by_chars);
    for (size_t i = 0; i < count; i++)
        if (!kept || by_chars(&words[kept - 1], &words[i])) words[kept++] = words[i];
    return kept;
}

static void check_words(const void *packed, size_t size, const okt_entry *words, size_t count) {
    okt_dictionary dictionary;
    CHECK(okt_dictionary_open(&dictionary, packed, size));
    for (size_t i = 0; i < count; i++) {
        uint32_t node = okt_find(&dictionary, words[i].chars, words[i].length);
        CHECK(node != OKT_NO_NODE);
        const okt_value *value = okt_value_of(&dictionary, node);
        CHECK(value->lists == words[i].value.lists);
        CHECK((value->stems[0] == OKT_NO_STEM) == (words[i].value.stems[0] == OKT_NO_STEM));
        if (value->stems[0] != OKT_NO_STEM) {
            size_t length;
            const okt_char *stem = okt_stem(&dictionary, value->stems[0], &length);
            CHECK(length == 1 && *stem == U'다');
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const okt_char stem_chars[] = {U'다'};
    static const uint32_t stem_starts[] = {0, 1};
    static const okt_strings stems = {stem_chars, stem_starts, 1}, corrections = {stem_chars, stem_starts, 0};
    static okt_char text[4096];
    okt_entry words[MAX_WORDS], all[MAX_WORDS];
    if (size < 3 || size > sizeof text / sizeof *text) return 0;
    size_t count = split_words(text, decode(data + 2, size - 2, text), words);
    memcpy(all, words, sizeof all);
    size_t all_count = distinct(all, count);
    size_t below = count * data[1] / 255, below_count = distinct(words, below);

    /* The first byte: after how many allocations memory runs out. */
    size_t packed_size = 0, extended_size = 0;
    void *packed = okt_pack(words, below_count, &stems, &corrections, &packed_size);
    CHECK(packed);
    check_words(packed, packed_size, words, below_count);
    okt_dictionary dictionary;
    okt_dictionary_open(&dictionary, packed, packed_size);
    allocations_left = data[0];
    void *extended = okt_extend(&dictionary, words + below, count - below, &stems, &extended_size);
    if (!extended) free(okt_pack(all, all_count, &stems, &corrections, &extended_size));
    allocations_left = SIZE_MAX;
    if (extended) check_words(extended, extended_size, all, all_count);
    free(extended);
    free(packed);
    return 0;
}
