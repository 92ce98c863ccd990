/* What the fuzz targets share. Each is built with clang (Debian: clang, libclang-rt-14-dev), from the project's folder:
 *
 *     clang -std=c11 -g -O1 -ffp-contract=off -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
 *         -Dmalloc=limited_malloc -Dcalloc=limited_calloc -Drealloc=limited_realloc -Ioktane/src/oktane/core \
 *         oktane/tests/fuzz/fuzz_okt.c $(ls oktane/src/oktane/core/[a-z]*.c) -o fuzz_okt
 *
 * The three -D let allocations of the core (but none of libFuzzer's) run out of memory where the fuzzer wants it.
 */
#ifndef FUZZING_H
#define FUZZING_H

#undef malloc
#undef calloc
#undef realloc
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unicode.h"

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

#endif
