"""N-grams by Kneser-Ney. `benchmark_language_models.py` imports this module; it is not a program."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from nltk.lm import KneserNeyInterpolated
from nltk.lm.smoothing import KneserNey
from nltk.util import everygrams

Texts = Sequence[Sequence[int]]


class IndexedKneserNey(KneserNey):
    """nltk's interpolated Kneser-Ney smoothing with a table of its counts, which nltk counts anew for each token.

    The counts of single tokens are discounted, too, in favor of the tokens that the training texts don't have.

    Args:
        model: The model, with the counts of the training texts.
        discount: What is taken from each count.
        num_tokens: Number of tokens in the vocabulary.
    """

    def __init__(self, model: KneserNeyInterpolated, discount: float, num_tokens: int) -> None:
        super().__init__(model.vocab, model.counts, model.order, discount)
        # How many different tokens stand before a context and its next token; for the longest contexts, how often.
        self.table: dict[tuple[str, ...], Counter[str]] = defaultdict(Counter)
        for order in range(2, model.order + 1):
            for context, counts in model.counts[order].items():
                self.table[context[1:]].update(counts.keys())
                if order == model.order:
                    self.table[context].update(counts)
        self.totals = {context: counts.total() for context, counts in self.table.items()}
        self.num_tokens = num_tokens

    def unigram_score(self, word: str) -> float:
        """Return the probability of a token after a context that was never seen."""
        alpha, gamma = self.alpha_gamma(word, ())
        return float(alpha + gamma / self.num_tokens)

    def alpha_gamma(self, word: str, context: tuple[str, ...]) -> tuple[float, float]:
        """Return the discounted probability of a token after a context, and the weight of the next shorter context."""
        counts, total = self.table[context], self.totals[context]
        return max(counts[word] - self.discount, 0.0) / total, self.discount * len(counts) / total


def padded(ids: Sequence[int], order: int) -> list[str]:
    """Return the tokens of a text as nltk's words. The first one, which begins it, fills a whole context."""
    return [str(ids[0])] * (order - 2) + [str(index) for index in ids]


def ngram_perplexity(train: Texts, held_out: Texts, order: int, discount: float, num_tokens: int) -> float:
    """Return the perplexity of an n-gram model. What begins a text is not predicted."""
    model = KneserNeyInterpolated(order, discount)
    model.vocab.update(map(str, range(num_tokens)))
    model.counts.update(everygrams(padded(ids, order), max_len=order) for ids in train)
    model.estimator = IndexedKneserNey(model, discount, num_tokens)
    loss, count = 0.0, 0
    for ids in held_out:
        words = padded(ids, order)
        for end in range(order - 1, len(words)):
            loss -= math.log(model.unmasked_score(words[end], tuple(words[end - order + 1 : end])))
            count += 1
    return math.exp(loss / count)
