"""Making a vocabulary of counted morphemes: whole morphemes, or pieces of them by byte pair encoding (BPE)."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, trainers
from transformers.utils import logging

from .okt_inputs import batches
from .okt_words import Morphemes

TEXTS_PER_BATCH = 1024  # number of texts that training reads at a time
BYTES = [f"<0x{byte:02X}>" for byte in range(256)]  # the tokens of BPE's byte fallback


def smallest_size(subword: str, special_tokens: int) -> int:
    """Return the size of a vocabulary of a number of special tokens, with `"bpe"` of bytes, and of nothing else."""
    return special_tokens + (len(BYTES) if subword == "bpe" else 0)


def check_size(vocab_size: int, subword: str, special_tokens: int) -> None:
    """Raise ValueError if a vocabulary of a size has no room for its special tokens, and with `"bpe"` for the bytes."""
    if vocab_size < (smallest := smallest_size(subword, special_tokens)):
        raise ValueError(
            f"vocab_size={vocab_size} leaves no room: {special_tokens} special tokens"
            + (" and 256 bytes" if subword == "bpe" else "")
            + f" need {smallest}"
        )


def bare_copy(tokenizer: Tokenizer) -> Tokenizer:
    """Return a tokenizer over the same model and post-processor, without added tokens.

    Those are found in the text, before the analyzer sees it, and must not be found inside a morpheme. As each call has
    a copy of its own, threads never share one whose padding or truncation another thread changes.
    """
    copy = Tokenizer(tokenizer.model)
    copy.post_processor = tokenizer.post_processor
    return copy


def count_morphemes(
    texts: Iterable[str | Sequence[str]],
    find: Callable[[Sequence[str]], Morphemes],
    length: int | None = None,
    show_progress: bool = True,
) -> Counter[str]:
    """Count how often each morpheme occurs.

    Args:
        texts: Texts, or lists of texts. They are read as a stream.
        find: Finds the morphemes of some texts.
        length: Number of texts, or lists, for the progress bar.
        show_progress: Whether to show a progress bar.

    Raises:
        TypeError: If an item is not a text or a list of texts.
    """
    counts: Counter[str] = Counter()
    with logging.tqdm(total=length, desc="Counting morphemes", unit=" texts", disable=not show_progress) as bar:
        for batch, items in batches(texts, TEXTS_PER_BATCH):
            morphemes = find(batch)
            frequencies = np.bincount(morphemes.form_ids, minlength=len(morphemes.forms)).tolist()
            for form, frequency in zip(morphemes.forms, frequencies, strict=True):
                # Forms that are left out have no morpheme.
                if frequency:
                    counts[form] += frequency
            bar.update(items)
    return counts


def make_tokenizer(
    subword: str,
    word_mark: str | None,
    special_tokens: Sequence[str | AddedToken],
    counts: Counter[str],
    vocab_size: int,
    min_frequency: int = 1,
    show_progress: bool = False,
) -> Tokenizer:
    """Make a `tokenizers.Tokenizer` whose vocabulary begins with the special tokens.

    Args:
        subword: `"none"` for whole morphemes, `"bpe"` for pieces.
        word_mark: The mark of morphemes that begin a word, which decoding turns into a space; None for no mark.
        special_tokens: The special tokens. The second one stands for unknown morphemes.
        counts: Number of occurrences of each morpheme, with its mark.
        vocab_size: The largest number of tokens. The most frequent are kept; of equally frequent morphemes, the ones
            that were counted first.
        min_frequency: How often a morpheme (with BPE: a pair of pieces) has to occur to be kept.
        show_progress: Whether to show a progress bar.
    """
    special = [AddedToken(t, special=True, normalized=False) if isinstance(t, str) else t for t in special_tokens]
    first, unknown = [token.content for token in special], special[1].content
    model: models.Model
    if subword == "none":
        frequent = (form for form, count in counts.most_common() if count >= min_frequency)
        model = models.WordLevel(_numbered([*first, *frequent], vocab_size), unk_token=unknown)
    else:
        first += BYTES
        pieces, merges = _learn_pieces(counts, vocab_size - len(first), min_frequency, show_progress)
        model = models.BPE(_numbered([*first, *pieces]), merges, unk_token=unknown, byte_fallback=True)
    tokenizer = Tokenizer(model)
    tokenizer.add_special_tokens(special)
    steps: list[Any] = [decoders.Replace(word_mark, " ")] if word_mark is not None else []
    if subword == "bpe":
        steps += [decoders.ByteFallback(), decoders.Fuse()]
    if word_mark is not None:
        steps += [decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    if steps:
        tokenizer.decoder = decoders.Sequence(steps)
    return tokenizer


def _numbered(tokens: Sequence[str], size: int | None = None) -> dict[str, int]:
    return {token: index for index, token in enumerate(list(dict.fromkeys(tokens))[:size])}


def _learn_pieces(
    counts: Counter[str], size: int, min_frequency: int, show_progress: bool
) -> tuple[list[str], list[tuple[str, str]]]:
    """Learn pieces of morphemes by byte pair encoding.

    Returns:
        At most `size` pieces in the order of their ids, and the pairs that were merged.
    """
    characters: Counter[str] = Counter()
    for form, count in counts.items():
        for character in form:
            characters[character] += count
    by_frequency = sorted(characters, key=lambda character: (-characters[character], character))
    alphabet = [character for character in by_frequency if characters[character] >= min_frequency][:size]
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        show_progress=show_progress,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
    )
    learner = Tokenizer(models.BPE())
    words = chain.from_iterable(repeat(form, count) for form, count in counts.items())
    learner.train_from_iterator(words, trainer=trainer, length=counts.total())
    learned = json.loads(learner.to_str())["model"]
    vocabulary: dict[str, int] = learned["vocab"]
    return sorted(vocabulary, key=vocabulary.__getitem__), [tuple(merge) for merge in learned["merges"]]


def rename_token(token: str | AddedToken, renamed: Mapping[str, str]) -> AddedToken:
    """Return a special token with its new text, if it is among the renamed ones, and all its other fields."""
    old = token if isinstance(token, AddedToken) else AddedToken(token, special=True, normalized=False)
    return AddedToken(**old.__getstate__() | {"content": renamed.get(old.content, old.content), "special": True})


def with_post_processor_of(old: Tokenizer, new: Tokenizer, renamed: Mapping[str, str]) -> Tokenizer:
    """Return a tokenizer with another one's post-processor, which adds special tokens.

    Args:
        old: The tokenizer that has the post-processor.
        new: The tokenizer that receives it. Its ids may differ.
        renamed: New texts of special tokens by their old texts.
    """

    def update(part: Any) -> Any:
        if isinstance(part, list):
            return [update(item) for item in part]
        if not isinstance(part, dict):
            return part
        part = {name: update(value) for name, value in part.items()}
        if "tokens" in part and "ids" in part:  # a special token of TemplateProcessing
            part["tokens"] = [renamed.get(token, token) for token in part["tokens"]]
            part["ids"] = [new.token_to_id(token) for token in part["tokens"]]
        for name in ("sep", "cls"):  # of BertProcessing and RobertaProcessing
            if isinstance(part.get(name), list):
                token = renamed.get(part[name][0], part[name][0])
                part[name] = [token, new.token_to_id(token)]
        return part

    state = json.loads(new.to_str())
    state["post_processor"] = update(json.loads(old.to_str())["post_processor"])
    return Tokenizer.from_str(json.dumps(state))
