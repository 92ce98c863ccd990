/* One direction of a layer: its weights, and one step of it for a few texts.
 *
 * Gates stand side by side, each in a slot of `units` columns. Numbers of units are rounded up to whole panels of the
 * kernels; what is added has zero weights, and so a state of zero.
 */
#ifndef OKT_RECURRENCE_H
#define OKT_RECURRENCE_H

#include "kernels.h"
#include "packed.h"

typedef enum { OKT_LSTM, OKT_GRU, OKT_RNN_TANH, OKT_RNN_RELU } okt_cell;

/* A product of [what the layer reads | its state], or of one of the two, with packed weights. */
typedef struct {
    okt_packed weights;
    size_t first; /* the column of the gates that it begins with */
    bool reads_input, reads_state;
} okt_product;

enum { OKT_MOST_PRODUCTS = 3 };

typedef struct {
    const okt_kernels *kernels;
    okt_activation *activation;
    size_t hidden, units;
    size_t width; /* of the gates: slots * units */
    okt_product products[OKT_MOST_PRODUCTS];
    size_t product_count;
    float *bias;     /* (width) */
    okt_packed fold; /* of a folded layer: the weights of what it reads */
} okt_recurrence;

/* Width of the gates of a cell with `hidden` units. */
size_t okt_gate_width(okt_cell cell, size_t hidden, const okt_kernels *kernels);

/* The weights of a direction as torch has them: (gates * hidden, inputs), (gates * hidden, hidden) and two times
 * (gates * hidden). */
typedef struct {
    const float *input, *state, *input_bias, *state_bias;
} okt_torch_weights;

/* Sets the weights, which are copied. With `folded`, the product of what the layer reads is left to
 * okt_recurrence_fold. False: out of memory. */
bool okt_recurrence_set(okt_recurrence *recurrence, okt_cell cell, const okt_kernels *kernels, size_t inputs,
                        size_t hidden, bool folded, const okt_torch_weights *weights);

void okt_recurrence_free(okt_recurrence *recurrence);

/* Writes the gates of a folded layer, (count, width), without what the states add to them. `in` is one piece. */
void okt_recurrence_fold(const okt_recurrence *recurrence, size_t count, const okt_piece *in, float *gates);

/* A step of up to `kernels->rows` texts. */
typedef struct {
    size_t count;
    bool is_first; /* the states before it are zero, and not multiplied */
    size_t inputs; /* number of pieces that the layer reads; none if it is folded */
    okt_piece pieces[OKT_MOST_PIECES]; /* these, then the states before the step */
    const float *starts[OKT_MOST_ROWS]; /* the bias, or of a folded layer the bias and the product of what it reads */
    float *memory[OKT_MOST_ROWS];       /* (units), see okt_activation */
    float *after[OKT_MOST_ROWS];        /* (units): where the states go; may be where they were before */
} okt_step;

/* Does a step. `gates` is room for `count` times `width`. */
void okt_recurrence_step(const okt_recurrence *recurrence, const okt_step *step, float *gates);

#endif
