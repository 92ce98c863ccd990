/* Recurrent networks that label texts: from token ids to logits. network.c builds them, run.c runs them.
 *
 * Any number of threads can share a network, because it is only read after it has been built. The one exception is the
 * folded table of the first layer: a row is filled in when its token is first seen. A function that can run out of
 * memory returns false if it does.
 */
#ifndef OKT_NETWORK_H
#define OKT_NETWORK_H

#include "interrupt.h"
#include "table.h"

typedef struct {
    okt_cell cell;
    size_t layers, directions, hidden, labels;
    bool separate;         /* each direction is its own stack of layers */
    bool max, mean, last;  /* what a text's vector is made of, in this order */
    bool folded;           /* whether the first layer is folded, see table.h */
    okt_matrix embedding;  /* (tokens, width) */
} okt_shape;

typedef struct {
    okt_shape shape;
    const okt_kernels *kernels;
    size_t units;                /* hidden, rounded up to whole panels */
    okt_recurrence *recurrences; /* (layers, directions) */
    okt_table *table;            /* of a folded first layer, else NULL */
    okt_packed head;             /* (pooled size, labels), its columns rounded up to whole panels */
    float *head_bias;
} okt_network;

/* An empty network; the two functions below set its weights. NULL: out of memory. */
okt_network *okt_network_new(const okt_shape *shape, const okt_kernels *kernels);
void okt_network_free(okt_network *network);

/* Sets the weights of one direction of a layer, which are copied. */
bool okt_network_set_layer(okt_network *network, size_t layer, size_t direction, const okt_torch_weights *weights);

/* Sets the weights of the head: (labels, pooled size) and (labels). They are copied. */
bool okt_network_set_head(okt_network *network, const float *weights, const float *bias);

/* Width of the vector that stands for a whole text. */
size_t okt_pooled_size(const okt_shape *shape);

/* Bytes that the table of a folded first layer takes once every token has been seen. */
size_t okt_folded_bytes(const okt_shape *shape, const okt_kernels *kernels);

/* Writes the logits of texts, (rows, labels). Text i has the tokens ids[row_splits[i]] to ids[row_splits[i + 1]]; each
 * must be below the embedding's rows. Also returns false if the interrupt says that it is to end. */
bool okt_network_run(const okt_network *network, const int32_t *ids, const int64_t *row_splits, size_t rows,
                     okt_interrupt *interrupt, float *logits);

#endif
