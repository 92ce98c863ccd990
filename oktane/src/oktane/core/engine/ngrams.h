/* The linear model over hashed n-grams: okt_lstm's NgramForSequenceClassification. */
#ifndef OKT_NGRAMS_H
#define OKT_NGRAMS_H

#include <stdint.h>

#include "matrix.h"

/* A linear model over hashed n-grams of up to `longest` tokens. */
typedef struct {
    okt_matrix weights; /* (buckets, labels) */
    const float *bias;  /* (labels) */
    size_t longest;
    int64_t boundary; /* the id before and after a text */
} okt_ngrams;

/* As okt_network_run. False: out of memory. */
bool okt_ngrams_run(const okt_ngrams *model, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits);

#endif
