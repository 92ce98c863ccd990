"""Draw 150,000 labeled training rows from NSMC's raw reviews.

    git clone https://github.com/e9t/nsmc
    python scripts/release/rebuild_training_rows.py nsmc --output ratings_train.txt

NSMC's labeled reviews were drawn from the raw ones in the corpus's repository (https://github.com/e9t/nsmc, folder
`raw`, one JSON file per film). This script draws other training rows by a rule that gives everyone the same bytes. They
are not the official `ratings_train.txt`. The official test set can be used with them, because none of its reviews is
drawn.

The rule:

1. Take the reviews in ascending order of their `review_id` as a number, each id once, without those of the test set.
2. Leave out reviews of more than 140 characters (code points, as they are in the JSON) and blank ones.
3. Ratings 1 to 4 give the label 0 (negative), 9 and 10 the label 1 (positive); other ratings are left out.
4. Replace each run of white space by one space and strip the ends. If the text has a double quote, do the following
   twice, as the corpus's own files do: double every double quote and put the text between double quotes.
5. With `random.Random(1234)`, shuffle the list of label 0, then the list of label 1. Keep the first 75,000 of each, put
   those of label 0 before those of label 1, and shuffle them all with the same generator.

The script prints the sha256 of what it wrote. From commit cc0670e of the repository (2016) it is
8651d503bd5e7217f5f279ac7df11ee4e846af17a76356359e5f96a0bc0113b9.
"""

import argparse
import hashlib
import random
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from okt_lstm.data.errors import DataError
from okt_lstm.data.nsmc import parse_ratings, parse_raw_reviews

ROWS_PER_LABEL = 75_000
SEED = 1234
MAX_CHARACTERS = 140
LABELS = {"1": 0, "2": 0, "3": 0, "4": 0, "9": 1, "10": 1}


def draw_rows(
    reviews: Iterable[dict[str, str]], test_ids: set[str], rows_per_label: int = ROWS_PER_LABEL
) -> list[tuple[str, str, int]]:
    """Draw training rows by the rule of this module's description.

    Args:
        reviews: Raw reviews with `review_id`, `review` and `rating`, in any order.
        test_ids: The ids of the test set.
        rows_per_label: How many rows to draw for each label.

    Returns:
        Rows of id, document and label.

    Raises:
        DataError: If there are too few reviews.
    """
    candidates: dict[int, dict[int, tuple[str, str, int]]] = {0: {}, 1: {}}
    for review in reviews:
        review_id, text = review["review_id"], review["review"]
        label = LABELS.get(review["rating"])
        document = " ".join(text.split())
        if review_id not in test_ids and label is not None and document and len(text) <= MAX_CHARACTERS:
            candidates[label][int(review_id)] = (review_id, quote(document), label)
    generator = random.Random(SEED)
    drawn = []
    for label, by_id in candidates.items():
        rows = [by_id[review_id] for review_id in sorted(by_id)]
        if len(rows) < rows_per_label:
            raise DataError(f"{len(rows):,} reviews have the label {label}, but {rows_per_label:,} are to be drawn.")
        generator.shuffle(rows)
        drawn += rows[:rows_per_label]
    generator.shuffle(drawn)
    return drawn


def quote(document: str) -> str:
    """Quote a document twice, as csv does it once, if it holds a double quote."""
    if '"' in document:
        for _ in range(2):
            document = '"' + document.replace('"', '""') + '"'
    return document


def read_corpus(folder: Path) -> tuple[Iterator[dict[str, str]], set[str]]:
    """Read the raw reviews, film by film, and the ids of the test set from a copy of the corpus's repository.

    Raises:
        DataError: If a file is missing or malformed. A file of raw reviews is read when it is its turn.
    """
    test_file = folder / "ratings_test.txt"
    raw_files = sorted((folder / "raw").glob("*.json"))
    if not test_file.is_file() or not raw_files:
        raise DataError(
            f"{folder} holds no {'ratings_test.txt' if raw_files else 'raw/*.json'}: it should be a copy of "
            "https://github.com/e9t/nsmc."
        )
    with test_file.open("rb") as lines:
        test_ids = {row["id"] for _, row in parse_ratings(lines, str(test_file))}
    reviews = (review for file in raw_files for review in parse_raw_reviews(file.read_bytes(), str(file)))
    return reviews, test_ids


def main() -> int:
    """Read the corpus, draw the rows and write them; return the exit code."""
    parser = argparse.ArgumentParser(description="Draw labeled training rows from NSMC's raw reviews.")
    parser.add_argument("folder", type=Path, help="a copy of https://github.com/e9t/nsmc (raw/ and ratings_test.txt)")
    parser.add_argument("--output", type=Path, default=Path("ratings_train.txt"), help="default: %(default)s")
    args = parser.parse_args()
    partial = args.output.with_name(args.output.name + ".partial")
    try:
        rows = draw_rows(*read_corpus(args.folder))
        lines = ["id\tdocument\tlabel"] + [f"{review_id}\t{document}\t{label}" for review_id, document, label in rows]
        content = ("\n".join(lines) + "\n").encode()
        partial.write_bytes(content)
        partial.replace(args.output)
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        partial.unlink(missing_ok=True)
    print(f"{hashlib.sha256(content).hexdigest()}  {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
