#include "matrix.h"

#include <stdint.h>
#include <string.h>

static float float_of_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 1023;
    if (exponent == 0) { /* zero, or a number without the leading 1: fraction * 2^-24 */
        float value = (float)fraction * 0x1p-24f;
        return sign ? -value : value;
    }
    if (exponent == 31) return float_of_bits(sign | 0x7F800000 | fraction << 13);
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

const float *okt_matrix_row(const okt_matrix *matrix, size_t row, float *buffer) {
    size_t n = matrix->columns, first = row * n;
    const uint16_t *halves = matrix->data;
    const int8_t *bytes = matrix->data;
    switch (matrix->type) {
    case OKT_FLOAT32:
        return (const float *)matrix->data + first;
    case OKT_FLOAT16:
        for (size_t i = 0; i < n; i++) buffer[i] = float_of_half(halves[first + i]);
        break;
    case OKT_BFLOAT16:
        for (size_t i = 0; i < n; i++) buffer[i] = float_of_bits((uint32_t)halves[first + i] << 16);
        break;
    case OKT_INT8:
        for (size_t i = 0; i < n; i++) buffer[i] = (float)bytes[first + i] * matrix->scales[row];
        break;
    }
    return buffer;
}

bool okt_matrix_is_finite(const okt_matrix *matrix) {
    size_t count = matrix->rows * matrix->columns, wrong = 0;
    const uint16_t *halves = matrix->data;
    const uint32_t *words = matrix->data;
    uint32_t exponent = matrix->type == OKT_FLOAT32 ? 0x7F800000 : matrix->type == OKT_FLOAT16 ? 0x7C00 : 0x7F80;
    if (matrix->type == OKT_FLOAT32)
        for (size_t i = 0; i < count; i++) wrong |= (words[i] & exponent) == exponent;
    else
        for (size_t i = 0; i < count; i++) wrong |= (halves[i] & exponent) == exponent;
    return !wrong;
}
