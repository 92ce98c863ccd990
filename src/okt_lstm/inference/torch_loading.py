"""From a folder, or the id of a repository on the Hub, to a classifier that torch runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from oktane.folders import LoadError
from oktane.hub import hub_is_unreachable

from .generator import Generator
from .tagger import Tagger
from .torch_checks import check_files, check_weights
from .torch_classifier import TorchClassifier


def load_in_torch(
    name: str,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
    max_length: int | None = None,
    bf16: bool = False,
    stride: int | None = None,
) -> TorchClassifier:
    """Load any sequence classifier that transformers knows, such as a BERT teacher.

    For the arguments and the errors see `okt_lstm.load` and `TorchClassifier`.
    """
    target = _device(device)
    model, tokenizer = _load(name, AutoModelForSequenceClassification, "classifier", revision, token)
    with _one_error(name, "model and tokenizer don't work together"):
        classifier = TorchClassifier(model.to(target), tokenizer, bf16=bf16)
        classifier.predict(classifier.probes)
    return TorchClassifier(model, tokenizer, max_length, bf16, stride)


def load_tagger_in_torch(
    name: str,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
) -> Tagger:
    """Load a token classifier; see `okt_lstm.load_tagger`."""
    target = _device(device)
    model, tokenizer = _load(name, AutoModelForTokenClassification, "tagger", revision, token)
    with _one_error(name, "model and tokenizer don't work together"):
        list(Tagger(model.to(target), tokenizer).entities(["가"]))
    return Tagger(model, tokenizer)


def load_generator_in_torch(
    name: str,
    revision: str | None = None,
    token: str | bool | None = None,
    device: str | torch.device | None = None,
) -> Generator:
    """Load a language model that generates text; see `okt_lstm.inference.loading.load_generator`."""
    target = _device(device or "cpu")
    model, tokenizer = _load(name, AutoModelForCausalLM, "language model", revision, token)
    return Generator(model.to(target), tokenizer)


def _load(
    name: str, auto_class: Any, what: str, revision: str | None, token: str | bool | None
) -> tuple[Any, PreTrainedTokenizerBase]:
    """Load a model and its tokenizer.

    Args:
        name: A folder, or the id of a repository on the Hub.
        auto_class: The Auto class of the model.
        what: What the model is, for errors.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub.
    """
    folder = Path(name).expanduser()
    source = str(folder) if folder.is_dir() else name
    with _one_error(name, "the model"):
        offline = folder.is_dir() or hub_is_unreachable(name, revision, token)
        options = {"revision": revision or "main", "token": token, "local_files_only": offline}
        with quiet_transformers():
            model, loaded = load_model(source, auto_class, **options)
    with _one_error(name, "the tokenizer (tokenizer.json, tokenizer_config.json, special_tokens_map.json)"):
        with quiet_transformers():
            tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False, **options)
        largest_id = max(tokenizer.get_vocab().values(), default=-1)
    vocab_size = getattr(model.config, "vocab_size", None)
    if vocab_size is not None and largest_id >= vocab_size:
        raise LoadError(
            f"{name}: the tokenizer has ids up to {largest_id}, but config.json has a vocab_size of {vocab_size}: they "
            "belong to different models"
        )
    if loaded["missing_keys"]:
        raise LoadError(
            f"{name} holds no trained {what}: its weights lack {', '.join(sorted(loaded['missing_keys']))}; "
            "train one with `okt-lstm train`"
        )
    return model, tokenizer


@contextmanager
def _one_error(name: str, what: str) -> Iterator[None]:
    """Turn what the libraries raise for damaged files into LoadError.

    It is anything, from KeyError to the base class of the tokenizers library's errors.
    """
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise LoadError(f"{name} can't be loaded: {what}: {reason:.1000}") from error


def load_model(
    name: str, auto_class: Any = AutoModelForSequenceClassification, **options: Any
) -> tuple[Any, dict[str, Any]]:
    """Load a model without its tokenizer: never a pickle, never code of others, in single precision.

    Args:
        name: A folder or the id of a repository on the Hub.
        auto_class: The Auto class of the model; by default, that of sequence classifiers.
        **options: Further options of `from_pretrained`, such as `config`.

    Returns:
        The model, and transformers' report of missing and mismatched weights.

    Raises:
        LoadError: The files contradict each other, or a weight is not a finite number. transformers raises others.
    """
    check_files(
        name,
        options.get("config"),
        same_sizes=not options.get("ignore_mismatched_sizes"),
        auto_class=auto_class,
        revision=options.get("revision"),
        token=options.get("token"),
    )
    model, report = auto_class.from_pretrained(
        name,
        dtype=torch.float32,
        use_safetensors=True,
        trust_remote_code=False,
        output_loading_info=True,
        **options,
    )
    check_weights(name, model)
    return model, report


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Hide the progress bar and the report of loading weights: what is wrong with them is an error here."""
    verbosity, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if has_bar:
            logging.enable_progress_bar()


def _device(device: str | torch.device | None) -> torch.device:
    if device is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError, NotImplementedError) as exception:
        raise ValueError(f"device {str(device)!r} can't be used: {str(exception).splitlines()[0]}") from None
    return target
