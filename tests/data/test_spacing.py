"""Rows that teach spacing: their characters are those of the text, and their words too."""

import random

from okt_lstm.data.options import TableOptions
from okt_lstm.data.spacing import WORD, load_spacing, spacing_row, words_without_spaces
from okt_lstm.data.tagging_options import SpacingDataOptions

TEXT = "아버지가 방에 들어가신다 그리고 나오신다"


def words(row):
    return ["".join(row["text"][e["start"] : e["end"]].split()) for e in row["entities"]]


def test_a_row_has_the_words_of_its_text_whatever_its_spaces():
    generator = random.Random(0)
    texts = {spacing_row(TEXT, 0.5, 0.2, generator)["text"] for _ in range(20)}
    assert len(texts) > 10
    for keep, insert in ((0, 0), (1, 0), (0.5, 0.3)):
        row = spacing_row(TEXT, keep, insert, generator)
        assert words(row) == TEXT.split()
        assert row["text"].replace(" ", "") == TEXT.replace(" ", "")
    assert spacing_row(TEXT, 0, 0, generator)["text"] == TEXT.replace(" ", "")
    assert spacing_row(TEXT, 1, 0, generator)["text"] == TEXT


def test_held_out_texts_have_no_spaces_and_a_seed_decides_the_rest(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text(f"{TEXT}\n  {TEXT}  끝 \n" * 20, encoding="utf-8")
    options = SpacingDataOptions(dataset=[str(path)], validation_size=10, spaced_share=0.5)
    splits = load_spacing(options, TableOptions(), seed=1)
    assert splits.labels == (WORD,)
    assert [len(splits.datasets[name]) for name in ("train", "validation")] == [30, 10]
    assert not any(" " in text for text in splits.datasets["validation"]["text"])
    assert 0 < sum(" " in text for text in splits.datasets["train"]["text"]) < 30
    again = load_spacing(options, TableOptions(), seed=1)
    assert again.datasets["train"]["text"] == splits.datasets["train"]["text"]


def test_words_count_characters_without_spaces():
    assert [tuple(word) for word in words_without_spaces(" 가나  다 ")] == [(0, 2, WORD), (2, 3, WORD)]
