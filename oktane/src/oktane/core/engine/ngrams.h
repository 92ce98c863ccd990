/* The linear model over hashed n-grams: okt_lstm's NgramForSequenceClassification. */
#ifndef OKT_NGRAMS_H
#define OKT_NGRAMS_H

#include <stdint.h>

#include "matrix.h"

enum { OKT_NGRAM_HASHES = 0x7FFFFFFF };

/* A linear model over n-grams of up to `longest` tokens: hashed into buckets, or with weights for the known ones. */
typedef struct {
    okt_matrix weights;    /* (buckets or known n-grams, labels) */
    const int32_t *hashes; /* by known n-gram, ascending: its hash modulo OKT_NGRAM_HASHES; NULL for buckets */
    const float *bias;  /* (labels) */
    size_t longest;
    int64_t boundary; /* the id before and after a text */
} okt_ngrams;

/* As okt_network_run. False: out of memory. */
bool okt_ngrams_run(const okt_ngrams *model, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits);

#endif
