"""Train the models of this folder with okt-lstm 0.1.0, and record what they answer; see README.md.

It needs an environment with okt-lstm 0.1.0 (commit f53adf3) and takes a minute:

    python record.py /path/to/an/empty/folder
"""

import json
import os
import shutil
import sys
from importlib.resources import files
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"

import torch
import transformers
from transformers import AutoModelForPreTraining, AutoTokenizer

import okt_lstm
from okt_lstm.cli import main

TEXTS = [
    "연기도 연출도 최고였다",
    "시간이 아깝다... 쓸데없이 길기만 하다!",
    "이것도 되나욬ㅋㅋ 재밌었어요~",
    "오크트가 만든 영화, 오크트오크트",
    "별생각 없이 틀었는데 결말이 완벽하다. " * 12,
    "Très bien 👍🏽 10점 만점에 10점!! https://example.org #영화",
    "글",
    "",
]


def flags(**options: object) -> list[str]:
    """Return the flags of options."""
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


REVIEWS, TOPICS, STARS = flags(dataset="reviews.tsv"), flags(dataset="topics.jsonl"), flags(dataset="stars.csv")
MAX_LENGTH = flags(max_length=40)
WORDS = [*MAX_LENGTH, *flags(vocab_size=60, min_frequency=1)]
BPE = [*MAX_LENGTH, *flags(tokenizer_model="bpe", vocab_size=290, word_mark="▁", min_frequency=1)]
NETWORK = flags(embedding_size=4, hidden_size=4, hidden_dropout=0, classifier_dropout=0)
QUIET = flags(report_to="none", disable_tqdm="true")
RUN = [*QUIET, *flags(learning_rate=0.05, per_device_train_batch_size=16)]
ONCE = [*RUN, *flags(num_train_epochs=5, save_strategy="no", load_best_model_at_end="false", eval_strategy="no")]
MODELS = {
    "word": [*REVIEWS, *WORDS, *NETWORK],
    "bpe": [*flags(config="options.yaml", min_frequency=1), *MAX_LENGTH, *NETWORK],
    "norm_stem_gru": [*REVIEWS, *WORDS, *NETWORK, *flags(model_type="gru", pooling="max_mean"), "--norm", "--stem"],
    "relu_rnn": [
        *[*REVIEWS, *WORDS, *NETWORK, "--no_bidirectional"],
        *flags(model_type="rnn", nonlinearity="relu", learning_rate=0.01),
    ],
    "pretrained": [
        *[*REVIEWS, *MAX_LENGTH],
        *flags(pretrained="language_model", pooling="max_mean_last", classifier_dropout=0.1),
        *flags(freeze_embeddings_epochs=1),
    ],
    "ngram": [*REVIEWS, *WORDS, *flags(model_type="ngram", num_buckets=512, max_ngram=3)],
    "multi_label": [*TOPICS, *WORDS, *NETWORK],
    "regression": [*STARS, *WORDS, *NETWORK, *flags(num_hidden_layers=1)],
}
PRETRAIN = flags(unlabelled="unlabelled.txt", held_out_samples=10, warmup_steps=2, softmax_candidates=64)
INTERRUPTED = [*REVIEWS, *WORDS, *NETWORK, *RUN, *flags(num_train_epochs=4, save_total_limit=9)]
RECIPE_RUN = [*flags(recipe="recipe.yaml", unlabelled="unlabelled.txt"), *REVIEWS, *QUIET]
WITH_CODE = "word"  # the folder that keeps the code of 0.1.0 beside the model
OPTIONS = """\
dataset: reviews.tsv
tokenizer_model: bpe
vocab_size: 290
word_mark: ▁
user_dictionary: user_dictionary.txt
max_validation_samples: 10
"""
RECIPE = """\
version: 1
description: What the recipes of 0.1.0 are made of.
stages:
  - name: language_model
    command: pretrain
    options:
      tokenizer_model: bpe
      vocab_size: 290
      embedding_size: 4
      hidden_size: 4
      softmax_candidates: 64
      num_train_epochs: 1
      held_out_samples: 10
  - name: teacher
    command: train
    seeds: [1, 2]
    options:
      pretrained: $language_model
      num_train_epochs: 1
  - name: embeddings
    command: embed
    options:
      vocab_size: 60
      min_frequency: 1
      vector_size: 4
      bucket: 100
      workers: 1
  - name: model
    command: train
    options:
      teacher: [$teacher]
      embeddings: $embeddings
      vocab_size: 60
      min_frequency: 1
      embedding_size: 4
      hidden_size: 4
      num_train_epochs: 1
"""


def write_data() -> None:
    """Write the labeled rows and the unlabeled text: reviews of the package's sample, with labels of three types."""
    sample = files("okt_lstm").joinpath("sample/ratings_train.txt").read_text("utf-8").splitlines()[1:]
    rows = [line.split("\t") for line in sample]
    words = {"story": "이야기", "music": "음악", "laughter": "웃"}
    reviews, topics, stars = ["text\tlabel"], [], ["text,label"]
    for number, text, label in rows[:96]:
        reviews.append(f"{text}\t{'positive' if label == '1' else 'negative'}")
        named = [name for name, word in words.items() if word in text]
        topics.append(json.dumps({"text": text, "label": named or ["other"]}, ensure_ascii=False))
        stars.append(f'"{text}",{4 * int(label) + 0.5 - int(number) % 2 / 4}')
    for name, lines in (("reviews.tsv", reviews), ("topics.jsonl", topics), ("stars.csv", stars)):
        Path(name).write_text("\n".join([*lines, ""]), "utf-8")
    Path("unlabelled.txt").write_text("\n".join([*(row[1] for row in rows[96:296]), ""]), "utf-8")
    Path("options.yaml").write_text(OPTIONS, "utf-8")
    Path("recipe.yaml").write_text(RECIPE, "utf-8")
    Path("user_dictionary.txt").write_text("# 0.1.0\n오크트\tNoun\n꿀잼하다\tAdjective\n", "utf-8")


def run(*argv: str) -> None:
    """Run a command of 0.1.0."""
    if code := main([*argv]):
        sys.exit(code)


def slim(folder: Path, keep_code: bool = False) -> None:
    """Remove pictures, the pickle of options (nothing reads it) and, as all folders hold the same, the code."""
    for path in list(folder.rglob("*")):
        if path.suffix == ".png" or path.name == "training_args.bin" or (path.suffix == ".py" and not keep_code):
            path.unlink()


def answers(folder: str | Path) -> dict:
    """Return what a classifier answers to the texts."""
    classifier = okt_lstm.load(folder)
    return {
        "ids": classifier.tokenizer(TEXTS, truncation=True)["input_ids"],
        "labels": classifier.predict(TEXTS),
        "logits": classifier.logits(TEXTS).tolist(),
    }


def language_model_answers(folder: str) -> dict:
    """Return a language model's loss over the texts, and the ids that it reads."""
    model, tokenizer = AutoModelForPreTraining.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(TEXTS, truncation=True, padding=True, return_tensors="pt")
    with torch.no_grad():
        return {"ids": tokenizer(TEXTS, truncation=True)["input_ids"], "loss": model(**batch).loss.item()}


def record() -> None:
    """Make everything in the current folder."""
    write_data()
    run("pretrain", *BPE, *NETWORK, *ONCE, *PRETRAIN, "--output_dir", "language_model")
    expected = {"language_model": language_model_answers("language_model")}
    for name, options in MODELS.items():
        run("train", *ONCE, *options, "--output_dir", name)
        expected[name] = answers(name)
    run("train", *INTERRUPTED, "--output_dir", "interrupted")
    expected["resumed"] = answers("interrupted")
    for path in Path("interrupted").iterdir():  # as if the run had been interrupted after half of its epochs
        if path.name != "checkpoint-12":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    run("train", *RECIPE_RUN, "--output_dir", "recipe_run")
    expected["recipe_run"] = answers("recipe_run")
    for name in ("language_model", "interrupted", "recipe_run", *MODELS):
        slim(Path(name), keep_code=name == WITH_CODE)
    for checkpoint in list(Path("recipe_run").rglob("checkpoint-*")):  # of stages that are finished
        shutil.rmtree(checkpoint)
    content = {
        "versions": {
            "okt_lstm": okt_lstm.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "texts": TEXTS,
        "options": {"resumed": INTERRUPTED, "recipe_run": RECIPE_RUN},
        "expected": expected,
    }
    Path("expected.json").write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
    shutil.copytree(str(files("okt_lstm") / "recipes"), "recipes")


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    record()
