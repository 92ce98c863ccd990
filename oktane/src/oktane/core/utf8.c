#include "utf8.h"

/* The length of the sequence that a byte begins, from 1 to 4; 0: none begins so. */
static size_t sequence_length(uint8_t first) {
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0;
    if (first < 0xE0) return 2;
    if (first < 0xF0) return 3;
    return first < 0xF5 ? 4 : 0;
}

size_t okt_decode_utf8(const uint8_t *bytes, size_t size, okt_char *to) {
    size_t count = 0;
    for (size_t i = 0; i < size;) {
        size_t length = sequence_length(bytes[i]);
        if (length == 0 || length > size - i) return SIZE_MAX;
        /* A first byte of a longer sequence has one bit less of the character than 8 - length. */
        okt_char c = length == 1 ? bytes[i] : bytes[i] & (0x7F >> length);
        for (size_t j = 1; j < length; j++) {
            if ((bytes[i + j] & 0xC0) != 0x80) return SIZE_MAX;
            c = c << 6 | (bytes[i + j] & 0x3F);
        }
        /* Longer than need be, half a surrogate pair, or beyond Unicode. */
        if ((length == 3 && c < 0x800) || (length == 4 && (c < 0x10000 || c > 0x10FFFF))) return SIZE_MAX;
        if (c >= 0xD800 && c < 0xE000) return SIZE_MAX;
        to[count++] = c;
        i += length;
    }
    return count;
}
