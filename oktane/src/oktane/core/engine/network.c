#include "network.h"

#include <stdlib.h>
#include <string.h>

okt_network *okt_network_new(const okt_shape *shape, const okt_kernels *kernels) {
    okt_network *network = calloc(1, sizeof *network);
    if (!network) return NULL;
    network->shape = *shape;
    network->kernels = kernels;
    network->units = okt_round_up(shape->hidden, kernels->panel);
    network->recurrences = calloc(shape->layers * shape->directions, sizeof *network->recurrences);
    if (shape->folded)
        network->table = okt_table_new(&shape->embedding, network->recurrences, shape->directions,
                                       okt_gate_width(shape->cell, shape->hidden, kernels));
    if (network->recurrences && (network->table || !shape->folded)) return network;
    okt_network_free(network);
    return NULL;
}

void okt_network_free(okt_network *network) {
    if (!network) return;
    for (size_t i = 0; network->recurrences && i < network->shape.layers * network->shape.directions; i++)
        okt_recurrence_free(&network->recurrences[i]);
    free(network->recurrences);
    okt_table_free(network->table);
    okt_packed_free(&network->head);
    free(network->head_bias);
    free(network);
}

static size_t input_size(const okt_shape *shape, size_t layer) {
    if (layer == 0) return shape->embedding.columns;
    return shape->separate ? shape->hidden : shape->hidden * shape->directions;
}

size_t okt_pooled_size(const okt_shape *shape) {
    return shape->hidden * shape->directions * ((size_t)shape->max + shape->mean + shape->last);
}

size_t okt_folded_bytes(const okt_shape *shape, const okt_kernels *kernels) {
    size_t width = okt_gate_width(shape->cell, shape->hidden, kernels);
    return okt_table_bytes(shape->embedding.rows, shape->directions, width);
}

bool okt_network_set_layer(okt_network *network, size_t layer, size_t direction, const okt_torch_weights *weights) {
    const okt_shape *shape = &network->shape;
    return okt_recurrence_set(&network->recurrences[layer * shape->directions + direction], shape->cell,
                              network->kernels, input_size(shape, layer), shape->hidden, layer == 0 && shape->folded,
                              weights);
}

/* The head in torch's layout. */
typedef struct {
    const float *weights;
    size_t labels, pooled_size;
} head_weights;

static float head_weight(const void *head, size_t k, size_t label) {
    const head_weights *from = head;
    return label < from->labels ? from->weights[label * from->pooled_size + k] : 0;
}

bool okt_network_set_head(okt_network *network, const float *weights, const float *bias) {
    head_weights from = {weights, network->shape.labels, okt_pooled_size(&network->shape)};
    size_t panel = network->kernels->panel, columns = okt_round_up(from.labels, panel);
    network->head_bias = calloc(columns, sizeof *network->head_bias);
    if (!network->head_bias) return false;
    memcpy(network->head_bias, bias, from.labels * sizeof *bias);
    return okt_pack(&network->head, panel, from.pooled_size, columns, head_weight, &from);
}
