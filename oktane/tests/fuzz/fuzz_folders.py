#!/usr/bin/env python3
"""Fuzz the loading of classifiers and encoders: config.json, tokenizer.json, tokenizer_config.json, model.safetensors.

    python oktane/tests/fuzz/fuzz_folders.py --seconds 600

Each turn takes a seed (a small folder made by `seeds`), changes one to four things in its files, loads it and labels or
encodes a few texts. A `LoadError` is a right answer, and so is a row of numbers for each text. Anything else is
a finding: the folder is kept and the script exits with 1. The same `--seed` gives the same folders.

Under AddressSanitizer and UndefinedBehaviorSanitizer, from the project's folder, with gcc:

    cd oktane && CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" \
        LDFLAGS="-fsanitize=address,undefined" python setup.py build_ext --build-lib ../build/sanitized && cd ..
    cp -rn oktane/src/oktane build/sanitized/
    LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)" PYTHONMALLOC=malloc \
        ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=build/sanitized python oktane/tests/fuzz/fuzz_folders.py --seconds 600
"""

import argparse
import contextlib
import copy
import faulthandler
import json
import random
import shutil
import struct
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

import oktane

Files = dict[str, bytes]

CHARACTERS = "가나다라마영화정말최고재미없다.ㅋㅠ!a1"
TEXTS = ["영화가 정말 최고다", "", "ㅋㅋㅋ 재미없다!!", "[CLS] a1 없는글자 \ud800\0", "가" * 40]
LONGEST_TURN = 60  # seconds
# What a value of JSON is replaced by.
# fmt: off
ABSURD = [
    None, True, False, 0, 1, -1, 2, 7, 2**31 - 2, 2**31 - 1, 2**31, 2**63, 2**64, 10**30, 0.5, 1e308, float("nan"),
    "", "a", "\ud800", "가" * 300, "max_mean_last", "regression", "multi_label_classification", "okt_gru", "BPE",
    [], {}, [[]], [None], [0, 1], ["a", "b"], [["a"]], {"a": 1}, {"0": "a"}, {"id": 0, "content": "가"},
]
# fmt: on


# ---- seeds ----------------------------------------------------------------------------------------------------------


def tokenizer_files(kind: str) -> Files:
    """Return the files of a tokenizer of a kind: "WordLevel" or "BPE"."""
    tokens = [
        "<pad>",
        "<unk>",
        *(f"<0x{byte:02X}>" for byte in range(256)),
        *CHARACTERS,
        "영화",
        "최고",
        "ㅋㅋ",
        "[CLS]",
    ]
    ids = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    model: dict[str, Any] = {"type": kind, "vocab": ids, "unk_token": "<unk>"}
    state: dict[str, Any] = {"added_tokens": [], "post_processor": None, "model": model}
    if kind == "BPE":
        model |= {"byte_fallback": True, "merges": [["영", "화"], ["최", "고"], "ㅋ ㅋ"]}
        flags = {"special": True, "normalized": False, "single_word": False, "lstrip": False, "rstrip": True}
        state["added_tokens"] = [{"id": ids["[CLS]"], "content": "[CLS]", **flags}]
        state["post_processor"] = {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]"}}, {"Sequence": {"id": "A"}}],
            "special_tokens": {"[CLS]": {"ids": [ids["[CLS]"]]}},
        }
    config = {"tokenizer_class": "OktTokenizer", "model_max_length": 30, "norm": kind == "BPE", "word_mark": "▁"}
    return {"tokenizer.json": json.dumps(state).encode(), "tokenizer_config.json": json.dumps(config).encode()}


def safetensors(tensors: dict[str, tuple[str, np.ndarray]]) -> bytes:
    """Return a safetensors file of tensors: a type's name and the numbers of each."""
    header, data = {}, b""
    for name, (number, values) in tensors.items():
        end = len(data) + values.nbytes
        header[name] = {"dtype": number, "shape": values.shape, "data_offsets": [len(data), end]}
        data += values.tobytes()
    encoded = json.dumps(header).encode()
    return struct.pack("<Q", len(encoded)) + encoded + data


def recurrent(cell: str, number: str, prefix: str = "model.", **options: Any) -> Files:
    """Return a recurrent classifier, or an encoder if `prefix` is empty; `number` is the type of the embedding."""
    draw = np.random.default_rng(0)
    gates, hidden, width, tokens, directions = {"lstm": 4, "gru": 3, "rnn": 1}[cell], 5, 6, 290, 2

    def floats(*shape: int) -> tuple[str, np.ndarray]:
        return "F32", draw.normal(0, 0.3, shape).astype(np.float32)

    types = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16, "I8": np.int8}
    embedding = f"{prefix}embed_tokens.weight"
    tensors = {embedding: (number, draw.integers(-99, 99, (tokens, width)).astype(types[number]))}
    if number == "I8":
        tensors[f"{embedding}_scale"] = floats(tokens)
    elif number == "BF16":
        tensors[embedding] = number, np.full((tokens, width), 0x3F80, np.uint16)
    for layer in range(2):
        for direction in ("forward", "backward"):
            name = f"{prefix}layers.{layer}.{direction}_rnn"
            tensors[f"{name}.weight_ih_l0"] = floats(gates * hidden, directions * hidden if layer else width)
            tensors[f"{name}.weight_hh_l0"] = floats(gates * hidden, hidden)
            tensors[f"{name}.bias_ih_l0"] = floats(gates * hidden)
            tensors[f"{name}.bias_hh_l0"] = floats(gates * hidden)
    head = "classifier" if prefix else "projection"
    tensors[f"{head}.weight"] = floats(3, 2 * directions * hidden)
    tensors[f"{head}.bias"] = floats(3)
    if count := options.get("num_ngrams"):
        tensors |= {"ngrams.weight": floats(count, 3), "ngrams.hashes": known_hashes(count)}
    config = {"model_type": f"okt_{cell}", "vocab_size": tokens, "embedding_size": width, "hidden_size": hidden}
    config |= {"num_hidden_layers": 2, "bidirectional": True, "pooling": "max_mean", "separate_directions": False}
    config |= {"id2label": {"0": "a", "1": "b", "2": "c"}, "problem_type": "single_label_classification"} | options
    return {"config.json": json.dumps(config).encode(), "model.safetensors": safetensors(tensors)}


def known_hashes(count: int) -> tuple[str, np.ndarray]:
    """Return the hashes of known n-grams, in ascending order."""
    return "I32", np.sort(np.random.default_rng(1).choice(2**31 - 1, count, replace=False)).astype(np.int32)


def ngrams(known: bool = False) -> Files:
    """Return a folder of an n-gram model, with buckets or with known n-grams."""
    weights = np.random.default_rng(0).normal(0, 1, (97, 2)).astype(np.float16)
    tensors = {"weights.weight": ("F16", weights), "bias": ("F32", np.ones(2, np.float32))}
    config = {"model_type": "okt_ngram", "vocab_size": 290, "num_buckets": 97, "max_ngram": 3, "num_labels": 2}
    if known:
        tensors["weights.hashes"] = known_hashes(97)
        config["num_ngrams"] = 97
    return {"config.json": json.dumps(config).encode(), "model.safetensors": safetensors(tensors)}


def seeds() -> list[Files]:
    """Return the folders that are changed: every cell, every way to store numbers, both tokenizers."""
    words, subwords = tokenizer_files("WordLevel"), tokenizer_files("BPE")
    return [
        recurrent("lstm", "F32") | subwords,
        recurrent("lstm", "I8", architectures=["LSTMForSequenceClassification"]) | words,
        recurrent("gru", "F16", problem_type="multi_label_classification") | subwords,
        recurrent("rnn", "BF16", problem_type="regression", nonlinearity="relu") | words,
        recurrent("lstm", "I8", prefix="", projection_size=3) | subwords,
        recurrent("gru", "F32", num_ngrams=40, ngram_length=2, abstain_below=0.5) | subwords,
        ngrams() | subwords,
        ngrams(known=True) | words,
    ]


# ---- changes --------------------------------------------------------------------------------------------------------


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Yield the path of every value inside a JSON value; of a long object or list only the first ones."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(items)[:12]:
        yield (*path, key)
        yield from places(inner, (*path, key))


def change_json(content: bytes, draw: random.Random) -> bytes:
    """Replace, delete, move or add a value of a JSON file."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        return change_bytes(content, draw)
    paths = list(places(value))
    if not paths:
        return json.dumps(draw.choice(ABSURD)).encode()
    *outer, last = draw.choice(paths)
    place = value
    for key in outer:
        place = place[key]
    kind = draw.randrange(8)
    if kind == 0:
        del place[last]
    elif kind == 1 and isinstance(place, dict):
        place[draw.choice(["0", "가", "<unk>", "type", "id", "norm"])] = copy.deepcopy(place[last])
    elif kind == 2 and isinstance(place[last], int):
        place[last] += draw.choice([-1, 1, 7, -place[last] - 1, 2**20])
    elif kind == 3 and isinstance(place[last], list):
        place[last] = place[last] * draw.choice([2, 50]) + [draw.choice(ABSURD)]
    else:
        place[last] = draw.choice(ABSURD)
    return json.dumps(value).encode()


def change_bytes(content: bytes, draw: random.Random) -> bytes:
    """Flip, cut, insert or repeat bytes."""
    at, count = draw.randrange(len(content) + 1), draw.choice([1, 1, 2, 8, 100])
    kind = draw.randrange(5)
    if kind == 0:
        return content[:at]
    if kind == 1:
        return content[:at] + content[at + count :]
    if kind == 2:
        return content[:at] + draw.randbytes(count) + content[at:]
    if kind == 3:
        return content[:at] + content[at : at + count] * 3 + content[at + count :]
    return content[:at] + draw.randbytes(count) + content[at + count :]


def change_weights(content: bytes, draw: random.Random) -> bytes:
    """Change the header of a safetensors file, and often its length with it, or the numbers."""
    length = int.from_bytes(content[:8], "little")
    if length > len(content) - 8 or draw.randrange(4) == 0:
        return change_bytes(content, draw)
    header, data = content[8 : 8 + length], content[8 + length :]
    if draw.randrange(3) == 0 and data:
        number = draw.choice([b"\0\0\xc0\x7f", b"\0\0\x80\xff", b"\xff\xff\x7f\x7f", b"\x01\0\0\0", draw.randbytes(4)])
        at = draw.randrange(len(data)) // 4 * 4
        return content[: 8 + length] + data[:at] + number + data[at + 4 :]
    header = change_json(header, draw)
    if draw.randrange(4) == 0:
        header += b" "  # the numbers begin elsewhere: not aligned
    return struct.pack("<Q", len(header)) + header + data


def change(files: Files, draw: random.Random) -> Files:
    """Return the files of a folder with one to four changes."""
    files = dict(files)
    for _ in range(draw.choice([1, 1, 2, 4])):
        name = draw.choice(list(files))
        kind: Callable[[bytes, random.Random], bytes]
        kind = change_weights if name == "model.safetensors" else change_json if draw.randrange(5) else change_bytes
        files[name] = kind(files[name], draw)
    return files


# ---- turns ----------------------------------------------------------------------------------------------------------


def write(files: Files, folder: Path) -> None:
    """Write the files into a folder."""
    for name, content in files.items():
        (folder / name).write_bytes(content)


def load_and_run(folder: Path) -> bool:
    """Load a folder as a classifier and as an encoder, and run it on the texts. Return whether one could be loaded.

    Raises:
        AssertionError: If there is not a row of numbers for each text.
        Exception: Anything but a LoadError.
    """
    rows = []
    with contextlib.suppress(oktane.LoadError):
        classifier = oktane.load(folder, num_threads=1)
        rows += [np.concatenate([logits for _, logits in classifier.logit_chunks(TEXTS)])]
        assert rows[0].shape[1] == len(classifier.labels)
        classifier.predict(TEXTS)
    with contextlib.suppress(oktane.LoadError):
        rows += [oktane.load_encoder(folder, num_threads=1).encode(TEXTS)]
    for found in rows:
        assert found.shape[0] == len(TEXTS)
    return bool(rows)


def fuzz(seed: int, turns: int | None, seconds: float, keep: Path) -> tuple[int, int]:
    """Fuzz for some turns or seconds.

    Args:
        seed: The seed of the changes.
        turns: The number of turns. `None` for no limit.
        seconds: The time after which it ends.
        keep: Where the folder of a finding is left.

    Returns:
        The number of folders, and of those that could be loaded.

    Raises:
        Exception: What a folder was answered with, if that is no `LoadError`.
    """
    warnings.simplefilter("ignore")
    originals, done, loaded, end = seeds(), 0, 0, time.monotonic() + seconds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for files in originals:
            write(files, folder)
            assert load_and_run(folder), "a seed must load"
        while done != turns and time.monotonic() < end:
            draw = random.Random(f"{seed} {done}")
            files = change(draw.choice(originals), draw)
            write(files, folder)
            faulthandler.dump_traceback_later(LONGEST_TURN, exit=True)
            # A crash ends this process: the folder is where it can be found.
            shutil.copytree(folder, keep, dirs_exist_ok=True)
            loaded += load_and_run(folder)
            faulthandler.cancel_dump_traceback_later()
            done += 1
    shutil.rmtree(keep, ignore_errors=True)
    return done, loaded


def main() -> None:
    """Fuzz, and say how many folders were loaded and refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="for how long (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the changes (default: 0)")
    parser.add_argument("--keep", type=Path, default=Path("finding"), help="folder for a finding (default: finding)")
    options = parser.parse_args()
    faulthandler.enable()
    done, loaded = fuzz(options.seed, None, options.seconds, options.keep)
    print(f"{done} folders: {loaded} were loaded and run, {done - loaded} were refused", file=sys.stderr)


if __name__ == "__main__":
    main()
