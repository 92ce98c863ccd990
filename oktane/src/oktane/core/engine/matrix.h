/* Matrices as they are stored in a file: float32, float16, bfloat16, or int8 with a scale for each row. */
#ifndef OKT_MATRIX_H
#define OKT_MATRIX_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { OKT_FLOAT32, OKT_FLOAT16, OKT_BFLOAT16, OKT_INT8 } okt_number;

/* A matrix, row by row. Whoever reads it does not copy it. */
typedef struct {
    const void *data;
    const float *scales; /* (rows), for OKT_INT8: a number is its row's scale times what is stored */
    okt_number type;
    size_t rows, columns;
} okt_matrix;

/* Returns row `row` as floats: where it is stored if it is stored so, else in `buffer`, which has room for `columns`. */
const float *okt_matrix_row(const okt_matrix *matrix, size_t row, float *buffer);

/* Whether no number of a matrix of floats is infinite or NaN. */
bool okt_matrix_is_finite(const okt_matrix *matrix);

#endif
