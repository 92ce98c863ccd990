/* Recurrent networks and linear n-gram models that label texts: from token ids to logits (network.c, ngrams.c).
 *
 * Any number of threads can share a model, because it is only read after it has been built. The one exception is the
 * folded table of the first layer: a row is filled in when its token is first seen. A function that can run out of
 * memory returns false if it does, and that is all that false says.
 */
#ifndef OKT_NETWORK_H
#define OKT_NETWORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels.h"

typedef enum { OKT_LSTM, OKT_GRU, OKT_RNN_TANH, OKT_RNN_RELU } okt_cell;

/* How a stored number is written. */
typedef enum { OKT_FLOAT32, OKT_FLOAT16, OKT_BFLOAT16 } okt_number;

/* A matrix as stored in a file, row by row. The network does not copy it. */
typedef struct {
    const void *data;
    okt_number type;
    size_t rows, columns;
} okt_matrix;

/* Converts row `row` of a matrix to floats. */
void okt_matrix_row(const okt_matrix *matrix, size_t row, float *out);

/* Whether no number of a matrix is infinite or NaN. */
bool okt_matrix_is_finite(const okt_matrix *matrix);

typedef struct {
    okt_cell cell;
    size_t layers, directions, hidden, labels;
    bool separate;         /* each direction is its own stack of layers */
    bool max, mean, last;  /* what a text's vector is made of, in this order */
    bool folded;           /* whether to keep the first layer's input products in a table, see okt_table_bytes */
    okt_matrix embedding;  /* (tokens, width) */
} okt_shape;

typedef struct okt_network okt_network;

/* An empty network; the two functions below set its weights. NULL: out of memory. */
okt_network *okt_network_new(const okt_shape *shape, const okt_kernels *kernels);
void okt_network_free(okt_network *network);

/* Gives one direction of a layer its weights, in torch's layout: (gates * hidden, inputs), (gates * hidden, hidden) and
 * two times (gates * hidden). They are copied. */
bool okt_network_set_layer(okt_network *network, size_t layer, size_t direction, const float *input_weights,
                           const float *state_weights, const float *input_bias, const float *state_bias);

/* Gives the classifier its weights: (labels, pooled size) and (labels). They are copied. */
bool okt_network_set_head(okt_network *network, const float *weights, const float *bias);

/* Width of a layer's input: that of the embedding, or of the layer before it. */
size_t okt_input_size(const okt_shape *shape, size_t layer);

/* Width of the vector that stands for a whole text. */
size_t okt_pooled_size(const okt_shape *shape);

/* Bytes of the folded table once every token has been seen. A row takes memory when its token is first seen. */
size_t okt_table_bytes(const okt_shape *shape, const okt_kernels *kernels);

/* Writes the logits of texts, (rows, labels). Text i has the tokens ids[row_splits[i]] to ids[row_splits[i + 1]]; each
 * must be below the embedding's rows. */
bool okt_network_run(const okt_network *network, const int32_t *ids, const int64_t *row_splits, size_t rows,
                     float *logits);

/* A linear model over hashed n-grams of up to `longest` tokens. */
typedef struct {
    okt_matrix weights; /* (buckets, labels) */
    const float *bias;  /* (labels) */
    size_t longest;
    int64_t boundary; /* the id before and after a text */
} okt_ngrams;

/* As okt_network_run. */
bool okt_ngrams_run(const okt_ngrams *model, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits);

#endif
