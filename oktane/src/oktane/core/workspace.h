/* What one thread needs to analyze texts, whatever the text. */
#ifndef OKT_WORKSPACE_H
#define OKT_WORKSPACE_H

#include "normalizer.h"
#include "phrases.h"
#include "tokenizer.h"

typedef struct {
    okt_interrupt interrupt; /* of all that follow */
    okt_tokenizer *tokenizer;
    okt_normalizer *normalizer;
    okt_phraser *phraser;
    /* The text at hand and what is found in it: for the workspace's owner. */
    okt_chars text, normalized;
    okt_spans origins, phrases;
    okt_tokens tokens;
} okt_workspace;

/* NULL: out of memory. `goes_on` is asked now and then whether to go on; it may be NULL. */
okt_workspace *okt_workspace_new(int (*goes_on)(void));
void okt_workspace_free(okt_workspace *workspace);

#endif
