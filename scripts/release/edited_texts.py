r"""Add edited texts to a file of texts, so that a student of sentence vectors sees what a single word changes.

Texts that people wrote are far from each other. A student learns from them what a text is about, and less of what
tells it from a similar one. Each edited text is a text in which a word was left out, moved or replaced by one of
another text that ends alike (so that the particle or ending stays), a part of it, or the beginning of one text with
the end of another. The teacher says what such a text means.

    python scripts/release/edited_texts.py texts.txt all.txt --exclude */test.csv

Like encoder_texts.py, which wrote texts.txt, it writes a file beside its output that says of what kinds the texts are.
"""

import argparse
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from encoder_texts import excluded_keys, key

from okt_lstm.atomic import replacing, write_json

MAX_WORDS = 24


def edited(texts: Sequence[str], seed: int) -> Iterator[str]:
    """Yield edited texts without end.

    Args:
        texts: Texts of two words or more.
        seed: Seed of all choices.
    """
    draw = random.Random(seed)
    alike = defaultdict(list)
    for text in texts:
        for word in text.split():
            alike[word[-1]].append(word)

    def drop(words: list[str]) -> list[str]:
        gone = draw.randrange(len(words))
        return words[:gone] + words[gone + 1 :]

    def move(words: list[str]) -> list[str]:
        words = list(words)
        words.insert(draw.randrange(len(words)), words.pop(draw.randrange(len(words))))
        return words

    def replace(words: list[str]) -> list[str]:
        place = draw.randrange(len(words))
        return [*words[:place], draw.choice(alike[words[place][-1]]), *words[place + 1 :]]

    def part(words: list[str]) -> list[str]:
        start = draw.randrange(len(words))
        return words[start : start + draw.randint(1, 8)]

    def splice(words: list[str]) -> list[str]:
        other = draw.choice(texts).split()
        return words[: draw.randint(1, len(words))] + other[-draw.randint(1, len(other)) :]

    edits = (drop, move, replace, replace, replace, part, splice)
    while True:
        words = draw.choice(texts).split()
        for _ in range(draw.randint(1, 2)):
            words = draw.choice(edits)(words) or words
        yield " ".join(words[:MAX_WORDS])


def main() -> None:
    """Edit, leave out what is excluded or there already, shuffle and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("texts", type=Path, help="txt file with one text per line")
    parser.add_argument("output", type=Path, help="txt file to write: all texts, in random order")
    parser.add_argument("--count", type=int, default=100_000, help="edited texts to add (default: %(default)s)")
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="csv or tsv files whose texts are left out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    collected = options.texts.read_text(encoding="utf-8").splitlines()
    known = excluded_keys(options.exclude) | set(map(key, collected))
    whole = len(collected)
    for text in edited([text for text in collected if " " in text], options.seed):
        if len(collected) == whole + options.count:
            break
        if key(text) not in known:
            known.add(key(text))
            collected.append(text)
    random.Random(options.seed).shuffle(collected)
    with replacing(options.output) as stream:
        stream.writelines(f"{text}\n".encode() for text in collected)
    kinds = json.loads(options.texts.with_suffix(".json").read_text(encoding="utf-8"))
    kinds.append({"kind": "edited texts", "source": "made from the others", "texts": options.count})
    write_json(options.output.with_suffix(".json"), kinds)
    print(f"{whole:,} texts, {options.count:,} edited ones in {options.output}")


if __name__ == "__main__":
    main()
