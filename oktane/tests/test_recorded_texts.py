"""Without Java: oktane gives what konlpy's Okt gave for recorded texts.

To record anew: python scripts/benchmarks/okt_parity.py oktane/tests/recorded.txt --generated 150 --seed 7 --record
oktane/tests/recorded.jsonl
"""

import json
from pathlib import Path

import okt_parity
import pytest

RECORDED = [
    json.loads(line) for line in Path(__file__).with_name("recorded.jsonl").read_text(encoding="utf-8").split("\n")[:-1]
]
TEXTS = [entry["text"] for entry in RECORDED]


def expected(method):
    """What was recorded for each text; morphs and nouns follow from pos as konlpy derives them."""
    if method.name in ("phrases", "normalize"):
        return [entry[str(method)] for entry in RECORDED]
    tagged = [
        [tuple(pair) for pair in entry[str(okt_parity.Method("pos", method.options or okt_parity.OPTIONS[0]))]]
        for entry in RECORDED
    ]
    if method.name == "pos":
        return tagged
    return [[form for form, tag in row if method.name == "morphs" or tag == "Noun"] for row in tagged]


@pytest.mark.parametrize("method", okt_parity.METHODS, ids=str)
def test_recorded_texts_give_what_konlpy_gave(okt, method):
    for text, result in zip(TEXTS, expected(method), strict=True):
        assert getattr(okt, method.name)(text, **method.options) == result


def test_join_gives_form_and_part_of_speech_with_a_slash(okt):
    for text, result in zip(TEXTS, expected(okt_parity.METHODS[0]), strict=True):
        assert okt.pos(text, join=True) == [f"{form}/{tag}" for form, tag in result]
