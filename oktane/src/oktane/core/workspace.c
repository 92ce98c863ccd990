/* What one thread needs to analyze texts. */
#include "workspace.h"

#include <stdlib.h>

okt_workspace *okt_workspace_new(int (*goes_on)(void)) {
    okt_workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace) return NULL;
    workspace->interrupt.goes_on = goes_on;
    workspace->tokenizer = okt_tokenizer_new(&workspace->interrupt);
    workspace->normalizer = okt_normalizer_new(&workspace->interrupt);
    workspace->phraser = okt_phraser_new(&workspace->interrupt);
    if (workspace->tokenizer && workspace->normalizer && workspace->phraser) return workspace;
    okt_workspace_free(workspace);
    return NULL;
}

void okt_workspace_free(okt_workspace *workspace) {
    if (!workspace) return;
    okt_tokenizer_free(workspace->tokenizer);
    okt_normalizer_free(workspace->normalizer);
    okt_phraser_free(workspace->phraser);
    free(workspace->text.items);
    free(workspace->normalized.items);
    free(workspace->origins.items);
    free(workspace->phrases.items);
    free(workspace->tokens.items);
    free(workspace);
}
