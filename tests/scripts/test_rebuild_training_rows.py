"""The rule that draws training rows from NSMC's raw reviews, on small made-up ones."""

import hashlib
import json
import random
import runpy
import sys
from pathlib import Path

import pytest

from okt_lstm.data.errors import DataError

SCRIPT = Path(__file__).parents[2] / "scripts" / "release" / "rebuild_training_rows.py"


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


def review(identifier: int, text: str = "좋다", rating: int = 10) -> dict[str, str]:
    return {"review_id": str(identifier), "review": text, "rating": str(rating)}


def test_ratings_give_labels_and_those_between_are_left_out(script):
    reviews = [review(100 + rating, rating=rating) for rating in range(1, 11)]
    reviews += [review(201, rating=9), review(202, rating=10)]
    rows = script["draw_rows"](reviews, set(), rows_per_label=4)
    assert {row[0]: row[2] for row in rows} == {
        **dict.fromkeys(["101", "102", "103", "104"], 0),
        **dict.fromkeys(["109", "110", "201", "202"], 1),
    }


def test_the_draw_is_by_ascending_id_whatever_the_order_of_the_reviews(script):
    reviews = [review(number, f"리뷰 {number}", rating=1 if number % 2 else 10) for number in range(1, 101)]
    expected = script["draw_rows"](reviews, set(), rows_per_label=20)
    random.Random(0).shuffle(reviews)
    assert script["draw_rows"](reviews, set(), rows_per_label=20) == expected

    # The rule, step by step.
    generator = random.Random(1234)
    negative, positive = [*range(1, 101, 2)], [*range(2, 101, 2)]
    generator.shuffle(negative)
    generator.shuffle(positive)
    drawn = negative[:20] + positive[:20]
    generator.shuffle(drawn)
    assert [int(identifier) for identifier, *_ in expected] == drawn


def test_the_test_set_long_reviews_and_blank_ones_are_never_drawn(script):
    reviews = [review(1, "가" * 140, 1), review(2, "가" * 141, 1), review(3, " \n", 1), review(4, "싫다", 1)]
    reviews += [review(5, "나" * 138 + "  나", 10), review(6, "나" * 138 + "  ", 10), review(7)]
    rows = script["draw_rows"](reviews, {"4", "7"}, rows_per_label=1)
    assert {row[0] for row in rows} <= {"1", "6"}
    with pytest.raises(DataError, match="1 reviews have the label 0, but 2 are to be drawn"):
        script["draw_rows"](reviews, {"4", "7"}, rows_per_label=2)


def test_white_space_is_collapsed_and_quotes_are_written_as_the_corpus_writes_them(script):
    reviews = [review(1, ' 그는 "감독"\n\t이다 ', 1), review(2, "따옴표  없음", 9)]
    rows = {row[0]: row[1] for row in script["draw_rows"](reviews, set(), rows_per_label=1)}
    assert rows == {"1": '"""그는 """"감독"""" 이다"""', "2": "따옴표 없음"}


@pytest.fixture
def run(script, monkeypatch):
    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", [SCRIPT.name, *map(str, arguments)])
        return script["main"]()

    return run


def write_repository(folder: Path, reviews: list[dict[str, str]]) -> None:
    (folder / "raw").mkdir(parents=True)
    (folder / "ratings_test.txt").write_text("id\tdocument\tlabel\n1\t좋다\t1\n", encoding="utf-8")
    (folder / "raw" / "1.json").write_text(json.dumps(reviews), encoding="utf-8")


def test_the_program_writes_the_rows_and_prints_their_checksum(tmp_path, run, capsys):
    reviews = [review(number, rating=1 if number % 2 else 10) for number in range(2, 150_004)]
    write_repository(tmp_path / "nsmc", reviews)
    assert run(tmp_path / "nsmc", "--output", tmp_path / "train.txt") == 0
    content = (tmp_path / "train.txt").read_bytes()
    assert capsys.readouterr().out.split()[0] == hashlib.sha256(content).hexdigest()
    assert content.count(b"\n") == 150_001


@pytest.mark.parametrize("reviews", [None, [review(2)], [{"review_id": "2"}]])
def test_what_is_missing_is_said_and_nothing_is_written(tmp_path, run, capsys, reviews):
    if reviews:
        write_repository(tmp_path / "nsmc", reviews)
    assert run(tmp_path / "nsmc", "--output", tmp_path / "train.txt") == 1
    assert capsys.readouterr().err.startswith("error: ")
    assert not list(tmp_path.glob("train*"))
