"""Folders damaged at random: each loads and predicts, or ends in one LoadError that names the folder."""

import json
import random
import shutil

import pytest
from tiny import TEXTS, tiny_model

import okt_lstm
from okt_lstm.hub import LoadError
from okt_lstm.models.tokenization_okt import OktTokenizer

VALUES = [
    *(None, True, False, 0, -1, 1, 2, 7, 10**9, 10**12, 2**63, 2**70, 1e999, -0.5, float("nan")),
    *("", "x", "../x", "<pad>", "a" * 100_000, "\0\x1b[2J", "okt_gru", "bert", "float16", "auto"),
    *([], [[]], ["x"], [0] * 50, {}, {"x": 1}, {"0": "a", "1": "a"}),
]
FILES = ["config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    tokenizer = OktTokenizer(subword="bpe").train_new_from_iterator(TEXTS, 300, show_progress=False)
    tokenizer.save_pretrained(folder)
    tiny_model(vocab_size=len(tokenizer)).save_pretrained(folder)
    return folder


def damage(path, chance):
    """Change a file: a field, a place in its bytes, its length, or all of it."""
    content = path.read_bytes()
    kind = chance.choice(["field"] * 6 + ["byte", "cut", "missing"])
    if kind == "field" and path.suffix == ".json":
        path.write_text(json.dumps(with_other_field(json.loads(content), chance)))
    elif kind == "cut":
        path.write_bytes(content[: chance.randrange(len(content))])
    elif kind == "missing":
        path.unlink()
    else:
        # In the header, where most can go wrong, as often as elsewhere.
        place = chance.randrange(len(content) if chance.random() < 0.5 else min(300, len(content)))
        path.write_bytes(content[:place] + bytes([chance.randrange(256)]) + content[place + 1 :])


def with_other_field(value, chance):
    """Return a JSON value in which one field, at any depth, is another, missing, or new."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(sorted(value))
        if chance.random() < 0.1:
            return {key: other for key, other in value.items() if key != name}
        return value | {name: with_other_field(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], with_other_field(value[place], chance), *value[place + 1 :]]
    return chance.choice(VALUES)


def check(whole, folder, seed):
    chance = random.Random(seed)
    for number in range(20):
        copy = folder / f"{seed}-{number}"
        shutil.copytree(whole, copy)
        for name in chance.sample(FILES, chance.randrange(1, 3)):
            damage(copy / name, chance)
        for engine in ("auto", "torch"):
            try:
                labels = okt_lstm.load(copy, engine=engine).predict(TEXTS)
            except LoadError as error:
                message = str(error)
                assert str(copy) in message
            else:
                assert len(labels) == len(TEXTS)
        shutil.rmtree(copy)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(5))
def test_a_folder_damaged_at_random_predicts_or_is_one_error(whole, tmp_path, seed):
    check(whole, tmp_path, seed)


@pytest.mark.release
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(100, 200))
def test_two_thousand_damaged_folders(whole, tmp_path, seed):
    check(whole, tmp_path, seed)
