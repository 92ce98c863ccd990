"""What a pretrained model brings along to a classifier: its tokenizer, its architecture and its weights."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import CONFIG_NAME

from ..hub import LoadError, model_file
from ..inference.torch_loading import load_model
from ..models.configuration_lstm import ClassifierConfig, RecurrentConfig
from .options import ModelOptions, TokenizerOptions, TransferOptions
from .run_options import TrainOptions

# What a pretrained network has decided already.
_ARCHITECTURE = (
    "model_type",
    "embedding_size",
    "hidden_size",
    "num_hidden_layers",
    "bidirectional",
    "separate_directions",
    "nonlinearity",
)


def check_transfer(transfer: TransferOptions, model: ModelOptions, training: TrainOptions) -> None:
    """Refuse options that would do nothing, or harm, and models that can't be found, before anything is read.

    Raises:
        LoadError: If a model can't be found.
        ValueError: If options contradict each other.
    """
    if transfer.teacher and training.label_smoothing_factor:
        raise ValueError(
            "--label_smoothing_factor has no use with --teacher, whose predictions are soft labels: leave it out"
        )
    for option in ("embeddings", "freeze_embeddings_epochs"):
        if model.model_type == "ngram" and getattr(transfer, option):
            raise ValueError(f"a model of type ngram has no embeddings: leave out --{option}")
    if transfer.stride is not None:
        raise ValueError("--stride goes with the recipe auto; for other models, add it to `okt-lstm predict`")
    if transfer.class_weights == "balanced" and transfer.teacher:
        raise ValueError("--class_weights has no use with --teacher, whose predictions are soft labels: leave it out")
    if transfer.teacher_weight != 1 and not transfer.teacher:
        raise ValueError("--teacher_weight goes with --teacher: add that, or leave this out")
    if transfer.freeze_embeddings_epochs and not (transfer.embeddings or transfer.pretrained):
        raise ValueError(
            "--freeze_embeddings_epochs would keep random embeddings: it goes with --embeddings or --pretrained"
        )
    models = [("teacher", name) for name in transfer.teacher]
    models += [("pretrained", transfer.pretrained)] if transfer.pretrained else []
    for option, name in models:
        try:
            model_file(name, CONFIG_NAME, None, None)
        except LoadError as exception:
            raise LoadError(f"--{option}: {exception}") from None


def choose_tokenizer(
    options: TokenizerOptions, transfer: TransferOptions, texts: Iterator[str]
) -> PreTrainedTokenizerBase:
    """Return the pretrained model's tokenizer; without one, a tokenizer whose vocabulary is built from the texts.

    Raises:
        ValueError: If an option is set that the pretrained model has decided.
    """
    if transfer.pretrained is None:
        return options.train(texts)
    for option in fields(options):
        if option.name != "max_length" and getattr(options, option.name) != option.default:
            raise ValueError(f"a --pretrained model brings its tokenizer along: leave out --{option.name}")
    tokenizer = AutoTokenizer.from_pretrained(transfer.pretrained, trust_remote_code=False)
    tokenizer.model_max_length = options.max_length
    # A language model may have a mask token; in a text to classify, it is text.
    tokenizer.split_special_tokens = True
    return tokenizer


def choose_config(options: ModelOptions, transfer: TransferOptions, **what_data_decides: Any) -> ClassifierConfig:
    """Return the configuration: the options', with the architecture of the pretrained model, if there is one.

    Raises:
        ValueError: If an option contradicts the pretrained model.
    """
    if transfer.pretrained is None:
        return options.to_config(**what_data_decides)
    config = AutoConfig.from_pretrained(transfer.pretrained, trust_remote_code=False)
    if not isinstance(config, RecurrentConfig):
        raise ValueError(f"{transfer.pretrained} is a {config.model_type}, not a recurrent network of this package")
    architecture = {name: getattr(config, name) for name in _ARCHITECTURE if hasattr(config, name)}
    if config.projection_size is not None:
        # An encoder's vector comes along, too.
        architecture["pooling"] = config.pooling
        what_data_decides["projection_size"] = config.projection_size
    architecture["model_type"] = config.model_type.removeprefix("okt_")
    for option in fields(options):
        given = getattr(options, option.name)
        if given not in (option.default, architecture.get(option.name, given)):
            raise ValueError(
                f"{transfer.pretrained} has {option.name} {architecture[option.name]!r}, not {given!r}: leave out "
                f"--{option.name}"
            )
    return replace(options, **architecture).to_config(**what_data_decides)


def make_model(config: ClassifierConfig, transfer: TransferOptions) -> PreTrainedModel:
    """Return a classifier with random weights, or with those of the pretrained model but for the classifier's.

    Raises:
        ValueError: If the pretrained model lacks weights, or has some of other shapes.
    """
    if transfer.pretrained is None:
        return AutoModelForSequenceClassification.from_config(config)
    model, loaded = load_model(transfer.pretrained, config=config, ignore_mismatched_sizes=True)
    lost = [name for name in loaded["missing_keys"] if not name.startswith("classifier.")]
    lost += [name for name, *_ in loaded["mismatched_keys"] if not name.startswith("classifier.")]
    if lost:
        raise ValueError(f"{transfer.pretrained} has other weights than its configuration says: {', '.join(lost)}")
    return model
