#include "ngrams.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BASE 0x2545F4914F6CDD1Dull
#define MIX 0x1B03738712FAD5C9ull

/* A hash as torch computes it: on signed numbers, whose right shift keeps the sign and whose remainder is not negative. */
static size_t bucket_of(uint64_t rolling, size_t buckets) {
    uint64_t mixed = (rolling ^ (uint64_t)((int64_t)rolling >> 32)) * MIX;
    int64_t remainder = ((int64_t)mixed >> 20) % (int64_t)buckets;
    return (size_t)(remainder < 0 ? remainder + (int64_t)buckets : remainder);
}

/* Returns the weights of an n-gram; NULL if it is not a known one. */
static const float *find_weights(const okt_ngrams *model, uint64_t rolling, float *buffer) {
    if (!model->hashes) return okt_matrix_row(&model->weights, bucket_of(rolling, model->weights.rows), buffer);
    int32_t hash = (int32_t)bucket_of(rolling, OKT_NGRAM_HASHES);
    size_t first = 0, count = model->weights.rows;
    /* The first hash that is not below this one. */
    while (count) {
        size_t half = count / 2;
        if (model->hashes[first + half] < hash) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    if (first == model->weights.rows || model->hashes[first] != hash) return NULL;
    return okt_matrix_row(&model->weights, first, buffer);
}

bool okt_ngrams_run(const okt_ngrams *model, const int32_t *ids, const int64_t *row_splits, size_t rows, float *logits) {
    size_t labels = model->weights.columns;
    double *sums = malloc(labels * sizeof *sums);
    float *buffer = malloc(labels * sizeof *buffer);
    if (!sums || !buffer) {
        free(sums);
        free(buffer);
        return false;
    }
    for (size_t row = 0; row < rows; row++) {
        const int32_t *text = ids + row_splits[row];
        size_t length = (size_t)(row_splits[row + 1] - row_splits[row]) + 2, count = 0;
        for (size_t label = 0; label < labels; label++) sums[label] = 0;
        for (size_t start = 0; start < length; start++) {
            uint64_t rolling = 0;
            for (size_t end = start; end < length && end - start < model->longest; end++, count++) {
                int64_t token = end == 0 || end == length - 1 ? model->boundary : text[end - 1];
                rolling = rolling * BASE + (uint64_t)token + 1;
                const float *weights = find_weights(model, rolling, buffer);
                for (size_t label = 0; weights && label < labels; label++) sums[label] += weights[label];
            }
        }
        for (size_t label = 0; label < labels; label++)
            logits[row * labels + label] = (float)(model->bias[label] + sums[label] / sqrt((double)count));
    }
    free(sums);
    free(buffer);
    return true;
}
