/* What one thread needs to analyze texts. */
#include "workspace.h"

#include <stdlib.h>

okt_workspace *okt_workspace_new(void) {
    okt_workspace *workspace = calloc(1, sizeof *workspace);
    if (!workspace) return NULL;
    workspace->tokenizer = okt_tokenizer_new();
    workspace->normalizer = okt_normalizer_new();
    workspace->phraser = okt_phraser_new();
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
