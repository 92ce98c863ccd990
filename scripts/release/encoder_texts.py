r"""Collect the texts that the sentence encoder learns from, one a line, in random order.

They are of many kinds, and all may be used for any purpose:

- reviews of films: the raw reviews of NSMC (CC0)
- sentences and passages of petitions: lovit/petitions_archive (CC0)
- chatbot talk: songys/Chatbot_data (MIT); questions: songys/Question_pair (MIT)
- words: Open Korean Text's lists, as konlpy installs them (Apache-2.0)
- utterances made from frames and these words: scripts/release/utterances.py

Texts of files that are named with --exclude are left out, whatever their spacing, so that a corpus's test rows never
teach:

    python scripts/release/encoder_texts.py texts.txt --reviews raw.txt --sentences spacing.csv \
        --sentences chatbot.csv --sentences question_pair.csv --documents petitions.csv --exclude */test.csv
"""

import argparse
import csv
import random
import re
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from okt_lstm.atomic import replacing, write_json
from okt_lstm.data.unlabeled import open_unlabeled

sys.path.insert(0, str(Path(__file__).parents[2] / "oktane"))
from utterances import utterances
from word_lists import WordLists, find_jar, read_word_lists

SOURCES = {
    "reviews": "raw reviews of NSMC (CC0)",
    "sentences": "petitions of lovit/petitions_archive (CC0), songys/Chatbot_data (MIT), songys/Question_pair (MIT)",
    "sentences of documents": "petitions of lovit/petitions_archive (CC0)",
    "passages of documents": "petitions of lovit/petitions_archive (CC0)",
    "words": "word lists of Open Korean Text (Apache-2.0)",
    "utterances": "made from frames and these words (Apache-2.0)",
}
SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
LONGEST_SENTENCE = 150
PASSAGE_LENGTHS = (80, 400)
# Nouns that are neither places nor names nor titles: what an utterance is about.
COMMON_NOUNS = 4000


def key(text: str) -> str:
    """Return a text as it is compared with others: without white space."""
    return "".join(text.split())


def table_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a csv, tsv or jsonl file: its columns `text`, `text_pair` and `document`."""
    with path.open(encoding="utf-8", newline="") as stream:
        if path.suffix == ".csv":
            rows: Iterable[dict[str, str]] = csv.DictReader(stream)
        else:
            rows = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in rows:
            yield from (row[name] for name in ("text", "text_pair", "document") if row.get(name))


def sentences(document: str) -> list[str]:
    """Return the sentences of a document that are not too long."""
    found = (" ".join(sentence.split()) for sentence in SENTENCE_END.split(document))
    return [sentence for sentence in found if 4 <= len(sentence) <= LONGEST_SENTENCE]


def passage(document: str, draw: random.Random) -> str:
    """Return some consecutive words of a document."""
    words = document.split()
    length, start = draw.randint(*PASSAGE_LENGTHS), draw.randrange(max(1, len(words)))
    return " ".join(words[start:])[:length]


def dictionary_words(lists: WordLists) -> list[str]:
    """Return the words of Okt's lists: verbs and adjectives in their dictionary form."""
    nouns = {word for word in lists.words["Noun"] if lists.frequencies.get(word, 0) > 0 and len(word) > 1}
    predicates = {stem + "다" for name in ("Verb", "Adjective") for stem in lists.words[name]}
    return sorted(nouns | predicates | lists.words["Adverb"] | lists.words["Exclamation"])


def common_nouns(lists: WordLists) -> list[str]:
    """Return the most frequent nouns of Hangul."""
    nouns = [word for word in lists.words["Noun"] if len(word) > 1 and re.fullmatch("[가-힣]+", word)]
    return sorted(nouns, key=lambda word: (-lists.frequencies.get(word, 0), word))[:COMMON_NOUNS]


def excluded_keys(paths: Iterable[Path]) -> set[str]:
    """Return the keys of the texts of tables, and of their sentences."""
    found = set()
    for path in paths:
        for text in table_texts(path):
            found.add(key(text))
            found.update(map(key, sentences(text)))
    return found


def main() -> None:
    """Collect, exclude, shuffle and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="txt file to write")
    parser.add_argument("--reviews", required=True, help="unlabeled reviews, as --unlabeled of okt-lstm reads them")
    parser.add_argument("--max_reviews", type=int, default=300_000)
    parser.add_argument("--sentences", type=Path, action="append", default=[], help="csv of sentences")
    parser.add_argument("--documents", type=Path, action="append", default=[], help="csv of long documents")
    parser.add_argument("--utterances", type=int, default=110_000, help="number of utterances to make")
    parser.add_argument("--exclude", type=Path, nargs="*", default=[], help="csv or tsv files whose texts are left out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    draw = random.Random(options.seed)
    lists = read_word_lists(find_jar())

    excluded = excluded_keys(options.exclude)
    reviews = list(open_unlabeled(options.reviews))
    draw.shuffle(reviews)
    documents = [text for path in options.documents for text in table_texts(path) if key(text) not in excluded]
    kinds: dict[str, Iterable[str]] = {
        "reviews": islice(reviews, options.max_reviews),
        "sentences": (text for path in options.sentences for text in table_texts(path)),
        "sentences of documents": (sentence for document in documents for sentence in sentences(document)),
        "passages of documents": (passage(document, draw) for document in documents for _ in range(8)),
        "words": dictionary_words(lists),
        "utterances": utterances(common_nouns(lists), options.utterances, options.seed),
    }
    found: dict[str, str] = {}
    counts: dict[str, int] = {}
    for kind, texts in kinds.items():
        before = len(found)
        for text in texts:
            text = " ".join(text.split())
            if text and key(text) not in excluded:
                found.setdefault(key(text), text)
        counts[kind] = len(found) - before
        print(f"{counts[kind]:>9,} {kind}")
    collected = list(found.values())
    draw.shuffle(collected)
    with replacing(options.output) as stream:
        stream.writelines(f"{text}\n".encode() for text in collected)
    sources = [{"kind": kind, "source": SOURCES[kind], "texts": count} for kind, count in counts.items()]
    write_json(options.output.with_suffix(".json"), sources)
    print(f"{len(collected):>9,} texts in {options.output}")


if __name__ == "__main__":
    main()
