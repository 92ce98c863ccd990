"""Edited texts are new, differ from their originals by words alone, and are never texts that are kept for a test."""

import json
import sys
from itertools import islice
from pathlib import Path

import pytest

RELEASE = Path(__file__).parents[2] / "scripts" / "release"
TEXTS = ["배송이 너무 늦어요", "배우들 연기가 정말 좋았다", "오늘 서울 날씨를 알려 줘", "환불은 어떻게 하나요"]


@pytest.fixture
def edited_texts(monkeypatch):
    monkeypatch.syspath_prepend(str(RELEASE))
    import edited_texts

    return edited_texts


def test_edits_are_made_of_words_of_the_texts_and_follow_from_the_seed(edited_texts):
    found = list(islice(edited_texts.edited(TEXTS, 3), 200))
    words = {word for text in TEXTS for word in text.split()}
    assert {word for text in found for word in text.split()} <= words
    assert len(set(found) - set(TEXTS)) > 50
    assert found == list(islice(edited_texts.edited(TEXTS, 3), 200))
    assert found != list(islice(edited_texts.edited(TEXTS, 4), 200))


def test_nothing_that_is_excluded_is_written_and_nothing_twice(edited_texts, tmp_path, monkeypatch):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    (tmp_path / "texts.json").write_text('[{"kind": "reviews", "source": "here", "texts": 4}]', encoding="utf-8")
    excluded = list(islice(edited_texts.edited(TEXTS, 1), 40))
    (tmp_path / "test.csv").write_text("text\n" + "\n".join(excluded) + "\n", encoding="utf-8")
    words = ["texts.txt", "all.txt", "--count", "30", "--exclude", "test.csv"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["edited_texts.py", *words])
    edited_texts.main()
    written = (tmp_path / "all.txt").read_text(encoding="utf-8").splitlines()
    assert len(written) == len(set(written)) == 34
    assert set(TEXTS) <= set(written)
    spaceless = {"".join(text.split()) for text in excluded} - {"".join(text.split()) for text in TEXTS}
    assert not spaceless & {"".join(text.split()) for text in written}
    assert [kind["texts"] for kind in json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))] == [4, 30]
