"""Run the recipe `auto`: from the user's rows to a folder with the best model, its figures and its card."""

import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from transformers import AutoConfig, AutoTokenizer, EvalPrediction, PreTrainedModel, PreTrainedTokenizerBase

import oktane
from oktane.folders import released_encoder
from oktane.problem_type import ProblemType, Threshold

from ...atomic import replacing_files, write_json, write_text
from ...data.options import DATA_ARGUMENTS_NAME
from ...data.splits import Splits, load_splits, texts_of
from ...hub import push
from ...inference.loading import load
from ...inference.torch_loading import quiet_transformers
from ...models.configuration_lstm import ClassifierConfig
from ...reports.error_analysis import calibrate
from ...reports.metrics import compute_metrics_for
from ...reports.model_card import build_model_card
from ...reports.per_class import one_class_warnings, scores_by_class
from ...reports.plots import plot_confusion_matrix, plot_curves, plot_reliability
from ...reports.quoting import code_span
from ...reports.trained_model import BASELINE, CARD_NAME, TrainedModel, describe, examples_for
from ..output_folder import begin_at, start_run
from ..pairs import let_read_pairs
from ..parts import TrainParts
from ..result import TrainResult
from .announcement import announce, describe_result
from .assembly import assemble, classifier_of
from .baseline import fit_baseline
from .fine_tuning import LEAST_ROWS, FineTuned, fine_tune, plan
from .folds import Fold, held_out_rows, make_folds
from .linear import Linear, Targets
from .metric import choose_metric
from .mixture import loss_of
from .ngram_features import NgramFeatures
from .reading import Reading, choose_reading
from .select import Choice, choose
from .tokens import Tokens
from .vectors import standardize

logger = logging.getLogger(__name__)

_MAJORITY = "majority class"


class Measured(NamedTuple):
    """The logits of some rows, and their labels: those of the model, and those of the baseline."""

    logits: NDArray[np.float64]
    baseline: NDArray[np.float64]
    targets: Targets


def train_auto(options: TrainParts) -> TrainResult:
    """Find the best model for the rows, and leave it in `options.training.output_dir`, tested and documented.

    Arguments, result and errors are those of `okt_lstm.training.train.train`.
    """
    refuse_several_processes()
    begin = time.monotonic()
    folder, checkpoint = begin_at(options.training)
    if checkpoint is not None:
        raise ValueError("the recipe auto takes minutes and keeps no checkpoints: leave out --resume_from_checkpoint")
    splits = load_splits(options.data, hold_out=False)
    metric = choose_metric(options.training.metric_for_best_model, splits.problem_type)
    texts, targets = texts_of(splits.datasets["train"]), targets_of(splits, "train")
    encoder = Path(options.transfer.pretrained or released_encoder())
    pairs = options.data.text_pair_column is not None
    tokenizer = AutoTokenizer.from_pretrained(encoder, trust_remote_code=False)
    if pairs:
        let_read_pairs(tokenizer)
    whole = Tokens.encode(texts, tokenizer)
    reading = choose_reading(whole, _given_length(options), options.transfer.stride)
    tokenizer.model_max_length = reading.max_length
    parts, owners = reading.read(whole)
    folds = make_folds(whole, targets, options.training.seed)
    tuning = plan(whole.lengths[folds[0].kept]) if len(texts) >= LEAST_ROWS else None
    for line in announce(splits, targets, whole.texts.lengths, reading, folds, tuning):
        logger.info(line)
    standardized = standardize(oktane.load_encoder(encoder, **reading._asdict()), texts)
    ngrams = NgramFeatures(parts, owners, _vocabulary(tokenizer, encoder), targets.num_labels)
    labels = _labels(splits) | {"abstain_below": options.transfer.abstain_below, "text_pair": pairs}
    labels["stride"] = reading.stride
    baseline = fit_baseline(texts, targets, folds, metric)

    def fine_tune_on(head: Linear, fold: Fold) -> FineTuned:
        model = classifier_of(encoder, labels, standardized.head(head))
        assert tuning is not None, "there would be nothing to tune"
        return fine_tune(model, tokenizer, whole, targets, fold, reading, tuning, metric, options.training)

    choice = choose(
        standardized.vectors,
        ngrams,
        targets,
        folds,
        options.transfer.class_weights,
        metric,
        None if tuning is None else fine_tune_on,
    )
    model = assemble(encoder, labels, choice, standardized, ngrams)
    # Only now: what an earlier run left is lost when there is something better.
    start_run(folder, resumed=False)
    _save(model, tokenizer, folder)
    held_out = targets.of(held_out_rows(folds)[: len(choice.logits)])
    measured = {"validation": Measured(choice.logits, baseline.held_out_logits[: len(choice.logits)], held_out)}
    classifier = load(folder, device="cpu")
    for split in ("validation", "test"):
        if split in splits.datasets and (split != "test" or options.training.do_predict):
            split_texts = texts_of(splits.datasets[split])
            measured[split] = Measured(
                np.asarray(classifier.logits(split_texts), np.float64),
                baseline.logits(split_texts),
                targets_of(splits, split),
            )
    seconds = time.monotonic() - begin
    results = _document(options, splits, folds, choice, model, reading, measured, metric, seconds)
    if options.training.push_to_hub:
        push(
            str(folder),
            options.training.hub_model_id or folder.resolve().name,
            private=bool(options.training.hub_private_repo),
            token=options.training.hub_token,
            revision=options.training.hub_revision,
        )
    return TrainResult(folder, results)


def refuse_several_processes() -> None:
    """Refuse to run under `torchrun`. Its first process says so, once.

    Raises:
        ValueError: There are several processes.
        SystemExit: This is one of the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return
    if os.environ.get("RANK", "0") != "0":
        sys.exit(1)
    raise ValueError(
        "the recipe auto runs in one process: leave out torchrun, or train a network of your own with --recipe classic"
    )


def targets_of(splits: Splits, split: str) -> Targets:
    """Return the labels of a split."""
    values = np.asarray(splits.datasets[split].select_columns("label").with_format("numpy")[:]["label"])
    return Targets(splits.problem_type, values, max(1, len(splits.label_names)))


def _given_length(options: TrainParts) -> int | None:
    """Return the user's `--max_length`; None if it is the default."""
    given = options.tokenizer.max_length
    return None if given == type(options.tokenizer).__dataclass_fields__["max_length"].default else given


def _vocabulary(tokenizer: PreTrainedTokenizerBase, encoder: Path) -> dict[int, str]:
    """Return the tokens by their id, with an empty one for an id that the network knows and the tokenizer doesn't."""
    tokens = {number: token for token, number in tokenizer.get_vocab().items()}
    size = AutoConfig.from_pretrained(encoder, trust_remote_code=False).vocab_size
    return {number: tokens.get(number, "") for number in range(size)}


def _labels(splits: Splits) -> dict[str, Any]:
    """Return the fields of a configuration that say what is predicted."""
    names = splits.label_names
    labels = (
        {"num_labels": 1} if splits.problem_type is ProblemType.REGRESSION else {"id2label": dict(enumerate(names))}
    )
    return {"problem_type": splits.problem_type.value, **labels}


def _save(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Save the model with its tokenizer, the weights in half precision: they are computed with in single precision."""
    weights = {
        name: weight.half() if weight.is_floating_point() else weight for name, weight in model.state_dict().items()
    }
    with replacing_files(folder) as temporary, quiet_transformers():
        model.save_pretrained(temporary, state_dict=weights)
        tokenizer.save_pretrained(temporary)


def _document(
    options: TrainParts,
    splits: Splits,
    folds: Sequence[Fold],
    choice: Choice,
    model: PreTrainedModel,
    reading: Reading,
    measured: Mapping[str, Measured],
    metric: str,
    seconds: float,
) -> dict[str, float]:
    """Write the card, the pictures and the figures, and say what came of it. Return the figures by Trainer's names."""
    folder = Path(options.training.output_dir)
    write_json(folder / DATA_ARGUMENTS_NAME, {k: v for k, v in asdict(options.data).items() if v is not None})
    threshold = choice.mixture.thresholds or 0.5
    results = {split: _scores(part.logits, part.targets, threshold) for split, part in measured.items()}
    last, final = list(measured.items())[-1]
    baselines = _baselines(final, targets_of(splits, "train"))
    rows = {"train": len(splits.datasets["train"])} | {split: len(part.logits) for split, part in measured.items()}
    notes = [*splits.description.notes, "The network started from the sentence encoder inside oktane."]
    if "validation" not in splits.datasets:
        what = f"{len(folds)} folds of the training rows, each" if len(folds) > 1 else "training rows that were"
        notes.append(f"The validation split consists of {what} held out in turn; near-duplicates were kept together.")
    warnings, classes = [], []
    if final.targets.problem_type is not ProblemType.REGRESSION:
        predictions = final.targets.problem_type.logits_to_labels(final.logits.astype(np.float32), threshold)
        classes = scores_by_class(final.targets.values, predictions, splits.label_names)
        warnings = one_class_warnings(predictions, splits.label_names)
    pictures = _draw(folder, choice, splits, final, last, metric)
    config = model.config
    assert isinstance(config, ClassifierConfig), "as every model that is assembled here"
    card = TrainedModel(
        name=options.training.hub_model_id or folder.resolve().name,
        license=options.training.license,
        description=describe(config, model.num_parameters(), splits.problem_type, splits.label_names),
        model_type=config.model_type.removeprefix("okt_"),
        examples=examples_for(config),
        problem_type=splits.problem_type,
        max_length=reading.max_length,
        stride=reading.stride,
        data=replace(splits.description, rows=rows, notes=tuple(notes)),
        vocabulary="The vocabulary is that of the sentence encoder inside oktane.",
        hyperparameters=_hyperparameters(options, choice, folds),
        seconds=seconds,
        epochs=[],
        results=results,
        pictures=pictures,
        selection=(
            f"Kept: {choice.kind}, which did best on held-out training rows. Main scores there: "
            + ", ".join(f"{name} {100 * score:.1f}" for name, score in choice.scores.items())
            + "."
        ),
        baselines=baselines,
        classes=classes,
        warnings=warnings,
        calibration=_calibration(choice, splits),
    )
    write_json(folder / CARD_NAME, card.to_json())
    write_text(folder / "README.md", str(build_model_card(card)))
    figures = {"train_runtime": round(seconds, 1), "train_samples": float(len(splits.datasets["train"]))}
    write_json(folder / "train_results.json", figures)
    for split, scores in results.items():
        prefix = {"validation": "eval"}.get(split, split)
        named = {f"{prefix}_{name}": value for name, value in scores.items()}
        if split == last:
            named |= {f"{prefix}_baseline_{name}": value for name, value in baselines[BASELINE].items()}
        write_json(folder / f"{prefix}_results.json", named)
        figures |= named
    write_json(folder / "all_results.json", figures)
    for line in describe_result({"this model": results[last], **baselines}, last, choice.kind):
        logger.info(line)
    for warning in warnings:
        logger.warning(warning)
    return figures


def _scores(logits: NDArray[np.float64], targets: Targets, threshold: Threshold = 0.5) -> dict[str, float]:
    scores = compute_metrics_for(targets.problem_type, threshold)(EvalPrediction(logits, targets.values))
    return {"loss": loss_of(logits, targets), **scores}


def _baselines(measured: Measured, train: Targets) -> dict[str, dict[str, float]]:
    """Return the scores of the majority class and of TF-IDF. They have no loss: their logits are not calibrated."""
    found = {BASELINE: _scores(measured.baseline, measured.targets)}
    if measured.targets.problem_type is ProblemType.SINGLE_LABEL:
        majority = np.zeros_like(measured.logits)
        majority[:, train.priors.argmax()] = 1
        found = {_MAJORITY: _scores(majority, measured.targets), **found}
    return {name: {key: value for key, value in scores.items() if key != "loss"} for name, scores in found.items()}


def _hyperparameters(options: TrainParts, choice: Choice, folds: Sequence[Fold]) -> dict[str, Any]:
    mixture = choice.mixture
    return {
        "kept": choice.kind,
        "C of the encoder's head": choice.c,
        "weight of the network": round(mixture.deep, 4),
        "weight of the n-grams": round(mixture.wide, 4),
        "class_weights": options.transfer.class_weights,
        "folds": len(folds),
        "seed": options.training.seed,
    }


def _calibration(choice: Choice, splits: Splits) -> str:
    """Say what the probabilities are worth, and where thresholds are."""
    if splits.problem_type is ProblemType.REGRESSION:
        return ""
    if choice.mixture.thresholds is None:
        return (
            "Its probabilities were calibrated by a temperature on held-out rows; those of rare classes were raised as "
            "far as that gave a better score."
        )
    named = [
        f"{code_span(name)} {value:.2f}"
        for name, value in zip(splits.label_names, choice.mixture.thresholds, strict=True)
    ]
    return (
        "Its probabilities were calibrated on held-out rows. `okt_lstm.load`, `oktane.load` and their commands "
        f"predict a label from these probabilities on, which `config.json` holds as `thresholds`: {', '.join(named)}. "
        "`pipeline` gives the probabilities alone."
    )


def _draw(folder: Path, choice: Choice, splits: Splits, final: Measured, split: str, metric: str) -> dict[str, str]:
    """Draw the pictures, and return their titles by file name."""
    pictures = {}
    if choice.history:
        pictures["curves.png"] = "Loss and score by epoch"
        drawn = "accuracy" if splits.problem_type is ProblemType.SINGLE_LABEL else metric
        plot_curves(choice.history, folder / "curves.png", drawn)
    if splits.problem_type is ProblemType.SINGLE_LABEL:
        pictures["reliability.png"] = f"Reliability of the probabilities on the {split} split"
        probabilities = splits.problem_type.scores(final.logits.astype(np.float32))
        plot_reliability(calibrate(probabilities, final.targets.values), folder / "reliability.png", split)
        pictures["confusion_matrix.png"] = f"Confusion matrix of the {split} split"
        predictions = splits.problem_type.logits_to_labels(final.logits.astype(np.float32))
        plot_confusion_matrix(
            final.targets.values, predictions, splits.label_names, folder / "confusion_matrix.png", split
        )
    return pictures
