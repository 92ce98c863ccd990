"""A trained tagger: texts in, entities out; or texts with their spaces restored."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from ..data.spacing import WORD
from ..data.tagged_texts import character_tags, entities_of
from ..reports.tagging_metrics import tagging_scores

# Texts that are tokenized and sorted by length together, and tokens, padding included, that the network reads at once.
CHUNK_SIZE = 2048
BATCH_TOKENS = 8192


class ScoredEntity(NamedTuple):
    """A part of a text that a tagger found.

    Attributes:
        text: The part.
        label: Its label.
        start: Index of its first character in the text.
        end: Index after its last character.
        score: The mean probability of its tokens' tags.
    """

    text: str
    label: str
    start: int
    end: int
    score: float


class Tagger:
    """A trained tagger. `okt_lstm.load_tagger` makes one.

    Texts are not cut: they may be of any length.

    Args:
        model: A token classifier whose labels are `O`, `B-X` and `I-X`.
        tokenizer: The fast tokenizer that it was trained with.

    Attributes:
        model: The model, in evaluation mode.
        tokenizer: The tokenizer.
        tags: The names of the model's labels, in the order of their ids.
        restores_spaces: Whether its entities are the words of a text.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        if not tokenizer.is_fast:
            raise ValueError("a tagger needs a fast tokenizer, which knows where in a text its tokens are")
        self.model, self.tokenizer = model.eval(), tokenizer
        names: dict[Any, str] = model.config.id2label or {}
        self.tags = [names[index] for index in range(len(names))]
        self.restores_spaces = {tag.partition("-")[2] for tag in self.tags} == {WORD}

    def entities(self, texts: Iterable[str]) -> Iterator[list[ScoredEntity]]:
        """Yield the entities of each text, in order, in constant memory.

        Raises:
            TypeError: If something is not a text; the message says which one.
        """
        for chunk in self._chunks(texts):
            offsets, found = self._tag(chunk)
            for text, places, (ids, scores) in zip(chunk, offsets, found, strict=True):
                tags = [self.tags[index] for index in ids.tolist()]
                yield [
                    ScoredEntity(
                        text[entity.start : entity.end],
                        entity.label,
                        entity.start,
                        entity.end,
                        round(float(scores[tokens.start : tokens.stop].mean()), 6),
                    )
                    for entity, tokens in entities_of(tags, places)
                ]

    def respace(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield each text with its spaces restored. Nothing but white space changes, and line ends stay.

        Raises:
            TypeError: If something is not a text; the message says which one.
            ValueError: If the model wasn't trained for this.
        """
        if not self.restores_spaces:
            raise ValueError("this model doesn't restore spaces: train one with `okt-lstm train --task spacing`")
        begins = np.array([tag.startswith("B-") for tag in self.tags])
        for chunk in self._chunks(texts):
            # Line ends are at the odd places.
            parts = [re.split(r"([\r\n]+)", text) for text in chunk]
            lines = [line for text in parts for line in text[::2]]
            offsets, found = self._tag(lines)
            spaced = (
                _with_spaces(line, places, begins[ids])
                for line, places, (ids, _) in zip(lines, offsets, found, strict=True)
            )
            for text in parts:
                text[::2] = list(islice(spaced, len(text[::2])))
                yield "".join(text)

    def score(self, texts: Sequence[str], entities: Sequence[Sequence[Any]]) -> dict[str, float]:
        """Measure the tagger on texts whose entities are known; see `reports.tagging_metrics`.

        Args:
            texts: The texts.
            entities: Their entities: `(start, end, label)`, or mappings with these names.
        """
        references = [character_tags(len(text), known) for text, known in zip(texts, entities, strict=True)]
        predictions = [
            character_tags(len(text), [(entity.start, entity.end, entity.label) for entity in found])
            for text, found in zip(texts, self.entities(texts), strict=True)
        ]
        return tagging_scores(references, predictions)

    def _chunks(self, texts: Iterable[str]) -> Iterator[list[str]]:
        if isinstance(texts, str):
            raise TypeError("pass a list of texts, not one text")
        numbered = enumerate(texts, 1)
        while chunk := list(islice(numbered, CHUNK_SIZE)):
            for number, text in chunk:
                if not isinstance(text, str):
                    raise TypeError(f"text {number} is {text!r:.40}; it must be a text (str)")
            yield [text for _, text in chunk]

    def _tag(
        self, texts: list[str]
    ) -> tuple[list[list[tuple[int, int]]], list[tuple[NDArray[np.int64], NDArray[np.float32]]]]:
        """Return the offsets of each text's tokens, and the ids and the probabilities of their tags."""
        encoded = self.tokenizer(texts, return_offsets_mapping=True, verbose=False)
        offsets = encoded.pop("offset_mapping")
        names = [name for name in encoded if name in ("input_ids", "token_type_ids")]
        lengths = np.array([len(ids) for ids in encoded["input_ids"]], np.int64)
        order = np.argsort(lengths, kind="stable")
        found: list[Any] = [None] * len(texts)
        end = len(order)
        # From long to short: a batch is as wide as its first row.
        while end:
            width = max(int(lengths[order[end - 1]]), 1)
            begin = max(end - max(BATCH_TOKENS // width, 1), 0)
            rows = order[begin:end]
            inputs = np.zeros((len(names), len(rows), width), np.int64)
            mask = np.arange(width) < lengths[rows, None]
            for place, name in enumerate(names):
                for line, row in enumerate(rows):
                    inputs[place, line, : lengths[row]] = encoded[name][row]
            ids, scores = self._run(dict(zip(names, inputs, strict=True)), mask)
            for line, row in enumerate(rows):
                found[row] = (ids[line, : lengths[row]], scores[line, : lengths[row]])
            end = begin
        return offsets, found

    @torch.inference_mode()
    def _run(
        self, inputs: dict[str, NDArray[np.int64]], mask: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        device = self.model.device
        tensors = {name: torch.from_numpy(values).to(device) for name, values in inputs.items()}
        logits = self.model(**tensors, attention_mask=torch.from_numpy(mask).to(device)).logits
        scores, ids = torch.softmax(logits.float(), dim=-1).max(dim=-1)  # (batch, time)
        return ids.cpu().numpy(), scores.cpu().numpy()


def _with_spaces(text: str, offsets: Sequence[tuple[int, int]], begins: NDArray[np.bool_]) -> str:
    """Return a text without its white space, and with a space before each token that begins a word."""
    places = {start for (start, end), begin in zip(offsets, begins.tolist(), strict=True) if begin and end > start}
    written: list[str] = []
    for place, character in enumerate(text):
        if place in places and written:
            written.append(" ")
        if not character.isspace():
            written.append(character)
    return "".join(written)
