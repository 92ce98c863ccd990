/* The folded first layer: what it reads is a token's embedding, so the product of that part, with the biases, depends on
 * the token alone. It is kept here, by token, and only the states are left to multiply at each step.
 *
 * A row is made when its token is first seen, by whichever thread sees it first.
 */
#ifndef OKT_TABLE_H
#define OKT_TABLE_H

#include <stdint.h>

#include "matrix.h"
#include "recurrence.h"

typedef struct okt_table okt_table;

/* An empty table for the directions of the first layer. NULL: out of memory. */
okt_table *okt_table_new(const okt_matrix *embedding, const okt_recurrence *directions, size_t direction_count,
                         size_t width);
void okt_table_free(okt_table *table);

/* Bytes of a table once every token has been seen. A row takes memory when its token is first seen. */
size_t okt_table_bytes(size_t tokens, size_t direction_count, size_t width);

/* Rows that only one call uses, as another thread was writing those of the table. All zeros: none. */
typedef struct okt_spare_row okt_spare_row;

/* Finds the rows of tokens, (directions, width), and makes those that are missing. False: out of memory. */
bool okt_table_find(okt_table *table, const int32_t *tokens, size_t count, const float **rows, okt_spare_row **spares);

void okt_spare_rows_free(okt_spare_row **spares);

#endif
