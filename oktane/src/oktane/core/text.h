/* Texts as Python has them. */
#ifndef OKT_TEXT_H
#define OKT_TEXT_H

#include <string.h>

#include "okt.h"

/* A Python string: `width` bytes (1, 2 or 4) for each character. */
typedef struct {
    const void *data;
    size_t length;
    int width;
} okt_text;

static inline okt_char okt_text_char(const okt_text *text, size_t i) {
    if (text->width == 1) return ((const uint8_t *)text->data)[i];
    if (text->width == 2) return ((const uint16_t *)text->data)[i];
    return ((const uint32_t *)text->data)[i];
}

/* Appends the characters of a text. False: out of memory. */
static inline bool okt_append_text(okt_chars *chars, const okt_text *text) {
    size_t start = chars->count;
    if (!OKT_RESERVE(chars, start + text->length)) return false;
    okt_char *to = chars->items + start;
    const uint8_t *narrow = text->data;
    const uint16_t *wide = text->data;
    if (text->width == 1)
        for (size_t i = 0; i < text->length; i++) to[i] = narrow[i];
    else if (text->width == 2)
        for (size_t i = 0; i < text->length; i++) to[i] = wide[i];
    else if (text->length)
        memcpy(to, text->data, text->length * sizeof *to);
    chars->count += text->length;
    return true;
}

#endif
