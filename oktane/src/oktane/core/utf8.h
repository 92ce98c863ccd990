/* UTF-8 to characters. */
#ifndef OKT_UTF8_H
#define OKT_UTF8_H

#include "okt.h"

/* Decodes `size` bytes into `to`, which has room for as many characters. Returns how many they are; SIZE_MAX: the bytes
 * are not UTF-8. */
size_t okt_decode_utf8(const uint8_t *bytes, size_t size, okt_char *to);

#endif
