# Copyright 2026 the okt-lstm developers. Licensed under the Apache License, Version 2.0.
"""A linear-chain conditional random field (Lafferty et al., 2001): scores of whole sequences of tags.

All methods take time as the first dimension, and rows whose tokens come first and whose padding comes last.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Added to the score of what is forbidden: far below every score that is learned, and finite, so that no nan arises.
FORBIDDEN = -10_000.0


class LinearChainCRF(nn.Module):
    """Scores of tags that follow each other, beside the emissions, which score each tag of a token on its own.

    Args:
        tags: The names of the tags, in the order of their ids, such as `["O", "B-PS", "I-PS"]`.
        constrain: Whether `I-X` may follow only `B-X` or `I-X`.

    Attributes:
        transitions: The score of going from one tag to another, `(tags from, tags to)`.
        start: The score of each tag for the first token, `(tags,)`.
        end: The score of each tag for the last token, `(tags,)`.
    """

    def __init__(self, tags: Sequence[str], constrain: bool = False) -> None:
        super().__init__()
        self.transitions = nn.Parameter(torch.zeros(len(tags), len(tags)))
        self.start = nn.Parameter(torch.zeros(len(tags)))
        self.end = nn.Parameter(torch.zeros(len(tags)))
        self._inside = [tag[2:] if tag.startswith("I-") else None for tag in tags] if constrain else []
        self._tags = list(tags)

    def scores(self) -> tuple[Tensor, Tensor]:
        """Return `transitions` and `start`, with what is forbidden."""
        if not any(self._inside):
            return self.transitions, self.start
        named = [tag[2:] if tag.startswith(("B-", "I-")) else None for tag in self._tags]
        forbidden = torch.tensor([[to is not None and to != tag for to in self._inside] for tag in named])
        at_start = torch.tensor([to is not None for to in self._inside])
        device = self.start.device
        return (
            self.transitions + forbidden.to(device) * FORBIDDEN,
            self.start + at_start.to(device) * FORBIDDEN,
        )

    def negative_log_likelihood(self, emissions: Tensor, is_token: Tensor, tags: Tensor) -> Tensor:
        """Return the negative logarithm of the probability of the true tags, summed over the batch: a scalar.

        Args:
            emissions: The scores of the tags of each token, `(time, batch, tags)`.
            is_token: Whether a position holds a token, bool, `(time, batch)`.
            tags: The true tags, `(time, batch)`. Negative ones are unknown: the probability is that of all sequences
                that agree with the known ones.
        """
        known = tags >= 0
        wrong = torch.ones_like(emissions).scatter_(2, tags.clamp(min=0).unsqueeze(2), 0)  # (time, batch, tags)
        agreeing = emissions + (wrong * known.unsqueeze(2)) * FORBIDDEN
        # One pass over twice the rows takes hardly longer than one over half of them.
        both = self._forward_scores(torch.cat([emissions, agreeing], dim=1), torch.cat([is_token, is_token], dim=1))
        total, numerator = torch.logsumexp(both[-1] + self.end, dim=1).chunk(2)  # (batch,), (batch,)
        # A row without tokens has one sequence of tags, the empty one.
        return ((total - numerator) * is_token[0]).sum()

    def _forward_scores(self, emissions: Tensor, is_token: Tensor) -> list[Tensor]:
        """Return, for each step, the log of the summed scores of all sequences up to there, by tag, `(batch, tags)`.

        At padding they are those of the row's last token.
        """
        transitions, start = self.scores()
        reached = [start + emissions[0]]
        for emission, more in zip(emissions[1:].unbind(), is_token[1:].unsqueeze(2).unbind(), strict=True):
            # (batch, tags from, tags to) -> (batch, tags to)
            step = torch.logsumexp(reached[-1].unsqueeze(2) + transitions, dim=1) + emission
            reached.append(torch.where(more, step, reached[-1]))
        return reached

    def log_marginals(self, emissions: Tensor, is_token: Tensor) -> Tensor:
        """Return the log of the probability of each tag of each token, `(time, batch, tags)`, by forward-backward."""
        transitions, _ = self.scores()
        forward = self._forward_scores(emissions, is_token)
        backward = [self.end.expand_as(forward[0])]
        for step in range(len(emissions) - 1, 0, -1):
            before = torch.logsumexp(transitions + (backward[-1] + emissions[step]).unsqueeze(1), dim=2)
            backward.append(torch.where(is_token[step].unsqueeze(1), before, backward[-1]))
        return torch.log_softmax(torch.stack(forward) + torch.stack(backward[::-1]), dim=2)

    def viterbi(self, emissions: Tensor, is_token: Tensor) -> Tensor:
        """Return the most probable sequence of tags, `(time, batch)`. At padding it repeats the row's last tag."""
        transitions, start = self.scores()
        best = start + emissions[0]  # (batch, tags)
        stay = torch.arange(best.shape[1], device=best.device).expand_as(best)
        came_from = []
        for emission, more in zip(emissions[1:].unbind(), is_token[1:].unsqueeze(2).unbind(), strict=True):
            scores, previous = (best.unsqueeze(2) + transitions).max(dim=1)  # (batch, tags)
            best = torch.where(more, scores + emission, best)
            came_from.append(torch.where(more, previous, stay))
        tags = [(best + self.end).argmax(dim=1)]  # (batch,)
        for previous in reversed(came_from):
            tags.append(previous.gather(1, tags[-1].unsqueeze(1)).squeeze(1))
        return torch.stack(tags[::-1])

    def logits(self, emissions: Tensor, is_token: Tensor) -> Tensor:
        """Return logits whose highest tag is Viterbi's, `(time, batch, tags)`.

        They are the logs of the tags' probabilities. Where the most probable tag of a token alone isn't the one of the
        most probable sequence, the two have changed places.
        """
        logits = self.log_marginals(emissions, is_token)
        chosen = self.viterbi(emissions, is_token).unsqueeze(2)  # (time, batch, 1)
        highest, place = logits.max(dim=2, keepdim=True)
        logits = logits.scatter(2, place, logits.gather(2, chosen))
        # Of equal ones, too, Viterbi's has to be the highest.
        return logits.scatter(2, chosen, highest + 1e-4)
