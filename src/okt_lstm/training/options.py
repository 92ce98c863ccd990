"""What a user can choose, in small dataclasses. Each field is a flag, a key of a file of options and of a recipe.

Nothing heavy is imported here, so that `--help` and mistakes are answered at once. A field's metadata say what its help
says: `help`; `metavar`, what its value is called there; `group`, under which heading it stands, if not its class's; and
`advanced`, if only `--help-all` shows it. `min` and `max` are the least and the greatest value, and `names` are all
values.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .values import check_ranges, read_words

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ..data.options import TableOptions
    from ..data.unlabeled import UnlabeledText
    from ..models.configuration_lstm import ClassifierConfig
    from ..models.tokenization_okt import OktTokenizer


@dataclass
class TokenizerOptions:
    """How texts become ids."""

    _argument_group_name = "text to ids"

    norm: bool = field(default=False, metadata={"help": "let Okt correct typical misspellings first"})
    stem: bool = field(default=False, metadata={"help": "let Okt reduce verbs and adjectives to their stems"})
    subword: Literal["none", "bpe"] = field(
        default="none",
        metadata={"help": "none: whole morphemes; bpe: byte-pair encoding inside them, which knows every word"},
    )
    word_mark: str | None = field(
        default=None,
        metadata={
            "metavar": "MARK",
            "help": "mark tokens that begin a word, for example with '▁', so that decoding restores spaces",
            "advanced": True,
        },
    )
    vocab_size: int = field(default=20000, metadata={"help": "maximum number of tokens in the vocabulary", "min": 1})
    min_frequency: int = field(
        default=2,
        metadata={"help": "drop tokens that occur fewer times in the training texts", "advanced": True, "min": 1},
    )
    max_length: int = field(default=128, metadata={"help": "cut texts after this many tokens", "min": 1})
    user_dictionary: str | list[str] | dict[str, Any] | None = field(
        default=None,
        metadata={
            "metavar": "FILE",
            "help": "words for Okt, one a line: a noun; or word, tab, part of speech; or -WORD to remove it. In a "
            "--config, also a list of nouns, or a table of words by part of speech",
        },
    )
    pos: list[str] | None = field(
        default=None,
        metadata={
            "metavar": "NAME",
            "help": "keep these parts of speech only, such as Noun Verb Adjective",
            "advanced": True,
        },
    )
    stopwords: list[str] | None = field(
        default=None,
        metadata={
            "metavar": "WORD",
            "help": "leave out these morphemes, or those in a file, one a line",
            "advanced": True,
        },
    )

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ranges(vars(self), fields(self))

    def for_card(self) -> dict[str, Any]:
        """Return the options by name, as a card lists them. Where files are on this machine is nobody's business."""
        named = {name: value for name, value in asdict(self).items() if value is not None}
        if isinstance(self.user_dictionary, str):
            named["user_dictionary"] = Path(self.user_dictionary).name
        for name in ("pos", "stopwords"):
            if name in named:
                named[name] = " ".join(Path(word).name for word in named[name])
        return named

    def to_tokenizer(self, **special_tokens: Any) -> "OktTokenizer":
        """Return the tokenizer, still without a vocabulary.

        Args:
            **special_tokens: Special tokens that it gets in addition, such as `mask_token`.

        Raises:
            OSError: If the user dictionary or the file of stop words can't be read.
            ValueError: If the word mark, the user dictionary or a part of speech can't be used.
        """
        from ..models.tokenization_okt import OktTokenizer

        return OktTokenizer(
            norm=self.norm,
            stem=self.stem,
            subword=self.subword,
            word_mark=self.word_mark,
            user_dictionary=self.user_dictionary,
            pos=self.pos,
            stopwords=None if self.stopwords is None else read_words(self.stopwords),
            model_max_length=self.max_length,
            **special_tokens,
        )

    def train(
        self, texts: Iterable[str], *, show_progress: bool = True, **special_tokens: str
    ) -> "PreTrainedTokenizerBase":
        """Return a tokenizer whose vocabulary is built from the texts; see `to_tokenizer`."""
        return self.to_tokenizer(**special_tokens).train_new_from_iterator(
            iter(texts), vocab_size=self.vocab_size, min_frequency=self.min_frequency, show_progress=show_progress
        )


@dataclass
class WordVectorTokenizerOptions(TokenizerOptions):
    """`TokenizerOptions` for word vectors: many tokens, as a classifier takes only those of its own vocabulary."""

    vocab_size: int = field(default=100_000, metadata=TokenizerOptions.__dataclass_fields__["vocab_size"].metadata)


@dataclass
class ModelOptions:
    """What network to train: fields of `LSTMConfig` and its siblings. None stands for the configuration's default."""

    _argument_group_name = "network"

    model_type: Literal["lstm", "gru", "rnn", "ngram"] = field(
        default="lstm", metadata={"help": "recurrent cell, or ngram: a linear model over n-grams of tokens"}
    )
    embedding_size: int | None = field(default=None, metadata={"help": "size of a token's embedding", "min": 1})
    hidden_size: int | None = field(default=None, metadata={"help": "hidden units of a layer, per direction", "min": 1})
    num_hidden_layers: int | None = field(
        default=None, metadata={"help": "stacked recurrent layers (--num_layers)", "min": 1}
    )
    bidirectional: bool | None = field(
        default=None, metadata={"help": "read texts in both directions; false: from left to right only"}
    )
    separate_directions: bool | None = field(
        default=None,
        metadata={"help": "make each direction a stack of its own, as language models need it", "advanced": True},
    )
    pooling: Literal["last", "mean", "max", "max_mean", "max_mean_last"] | None = field(
        default=None,
        metadata={"metavar": "NAME", "help": "vector of a text: last, mean, max, max_mean, max_mean_last"},
    )
    nonlinearity: Literal["tanh", "relu"] | None = field(
        default=None, metadata={"help": "activation function; only for --model_type rnn", "advanced": True}
    )
    embedding_dropout: float | None = field(
        default=None, metadata={"help": "dropout of the embeddings", "advanced": True, "min": 0, "max": 1}
    )
    hidden_dropout: float | None = field(default=None, metadata={"help": "dropout between layers", "min": 0, "max": 1})
    classifier_dropout: float | None = field(
        default=None, metadata={"help": "dropout before the classifier", "min": 0, "max": 1}
    )
    sampled_softmax_size: int | None = field(
        default=None,
        metadata={"help": "tokens in a language model's softmax during training; 0: all", "advanced": True, "min": 0},
    )
    max_ngram: int | None = field(
        default=None,
        metadata={"help": "longest n-gram, in tokens; only for --model_type ngram", "advanced": True, "min": 1},
    )
    num_buckets: int | None = field(
        default=None, metadata={"help": "weights per label; only for --model_type ngram", "advanced": True, "min": 1}
    )

    def __post_init__(self) -> None:
        """Check the options at once, not after the texts have been tokenized."""
        self.to_config()

    def to_config(self, **what_data_decides: Any) -> "ClassifierConfig":
        """Return the model's configuration.

        Args:
            **what_data_decides: Further fields, such as `vocab_size` and `id2label`.

        Raises:
            ValueError: If options are out of range or contradict each other.
        """
        from huggingface_hub.errors import StrictDataclassError

        from ..models.configuration_lstm import GRUConfig, LSTMConfig, NgramConfig, RNNConfig

        configs: dict[str, type[ClassifierConfig]] = {
            "lstm": LSTMConfig,
            "gru": GRUConfig,
            "rnn": RNNConfig,
            "ngram": NgramConfig,
        }
        given = {name: value for name, value in asdict(self).items() if value is not None}
        model_type = given.pop("model_type")
        if model_type not in configs:
            raise ValueError(f"model_type is {model_type!r}; it can be {', '.join(configs)}")
        for option in given:
            fitting = [name for name, config in configs.items() if option in config.__dataclass_fields__]
            if model_type not in fitting:
                raise ValueError(f"{option} goes with --model_type {' or '.join(fitting)}, not {model_type}")
        try:
            return configs[model_type](**given, **what_data_decides)
        except StrictDataclassError as error:
            raise ValueError(str(error.__cause__ or error)) from error


@dataclass
class UnlabeledOptions:
    """Text without labels."""

    _argument_group_name = "unlabeled text"

    unlabeled: list[str] | str | None = field(
        default=None,
        metadata={
            "metavar": "FILE",
            "help": "txt files with one text a line, or tables, perhaps compressed; or 'nsmc': its raw reviews",
        },
    )
    unlabeled_column: str | None = field(
        default=None, metadata={"metavar": "NAME", "help": "its column with the texts (default: detected by name)"}
    )
    max_unlabeled_samples: int | None = field(
        default=None, metadata={"help": "read only the first N of these texts (default: all)", "min": 1}
    )

    def __post_init__(self) -> None:
        """Check the range, and that there is text that the options are for."""
        for option in ("unlabeled_column", "max_unlabeled_samples"):
            if self.unlabeled is None and getattr(self, option) is not None:
                raise ValueError(f"--{option} goes with --unlabeled: add that, or leave this out")
        check_ranges(vars(self), fields(self))

    def open(self, learner: str, tables: "TableOptions") -> "UnlabeledText":
        """Find the text.

        Args:
            learner: Who can't do without, for the error: "a language model".
            tables: How to read it.

        Raises:
            FileError: If there is no such file, or it can't be read.
            ValueError: If no text is named.
        """
        from ..data.unlabeled import open_unlabeled

        if self.unlabeled is None:
            raise ValueError(f"{learner} learns from unlabeled text: name a file with --unlabeled")
        return open_unlabeled(self.unlabeled, self.unlabeled_column, self.max_unlabeled_samples, tables.reading)


def pretrained_folder(name: str | None) -> str | None:
    """Return the folder of a model inside oktane for its name, `encoder` or `released`; any other name unchanged.

    Raises:
        LoadError: If oktane was installed without the model.
    """
    from oktane.folders import released_encoder, released_model

    inside = {"encoder": released_encoder, "released": released_model}
    return str(inside[name]()) if name in inside else name


@dataclass
class TransferOptions:
    """What a classifier starts from, and who teaches it."""

    _argument_group_name = "transfer"

    method: Literal["network", "auto"] = field(
        default="network",
        metadata={
            "help": "network: train one network by these options; auto: compare an encoder, a linear n-gram model and "
            "both by cross-validation, and keep the best",
            "advanced": True,
        },
    )
    class_weights: Literal["auto", "balanced", "none"] = field(
        default="auto",
        metadata={
            "metavar": "NAME",
            "help": "balanced: classes weigh the same; none: rows do",
        },
    )

    pretrained: str | None = field(
        default=None,
        metadata={
            "metavar": "NAME|FOLDER|HUB_ID",
            "help": "start from this network and its tokenizer: a language model (see `pretrain`), a classifier, or "
            "those inside oktane: encoder, released",
        },
    )
    abstain_below: float | None = field(
        default=None,
        metadata={
            "metavar": "SHARE",
            "help": "let the model predict 'unsure' if no label has this probability, from 0 to 1",
            "advanced": True,
            "min": 0,
            "max": 1,
        },
    )
    stride: int | None = field(
        default=None,
        metadata={
            "metavar": "N",
            "help": "recipe auto: read texts longer than --max_length in windows that have N tokens in common",
            "advanced": True,
            "min": 0,
        },
    )
    embeddings: str | None = field(
        default=None,
        metadata={
            "metavar": "FILE",
            "help": "start from these word vectors: word2vec, fastText, or the result of `word-vectors`",
        },
    )
    freeze_embeddings_epochs: int = field(
        default=0,
        metadata={
            "help": "freeze the embeddings of --embeddings or --pretrained for this many epochs",
            "advanced": True,
            "min": 0,
        },
    )
    teacher: list[str] = field(
        default_factory=list,
        metadata={
            "metavar": "FOLDER|HUB_ID",
            "help": "learn the mean of the probabilities that these classifiers, of the same labels, predict for the "
            "training texts and for --unlabeled",
        },
    )
    teacher_weight: float = field(
        default=1.0,
        metadata={
            "help": "weight of the teachers' predictions against a row's own label, from 0 to 1",
            "advanced": True,
            "min": 0,
            "max": 1,
        },
    )

    def __post_init__(self) -> None:
        """Check the options against each other, and find the models inside oktane."""
        check_ranges(vars(self), fields(self))
        self.pretrained = pretrained_folder(self.pretrained)
        if self.pretrained and self.embeddings:
            raise ValueError("a --pretrained model brings its embeddings along: leave out --embeddings")


@dataclass
class RecipeOptions:
    """A recipe to train by, to which the other options are added."""

    _argument_group_name = "training"

    recipe: str | None = field(
        default=None,
        metadata={
            "metavar": "NAME|FILE",
            "help": "train by a recipe of okt-lstm (auto, classic, fast, best, release) or by a YAML file; other "
            "options win over its last stage",
        },
    )
    stages_dir: str | None = field(
        default=None,
        metadata={
            "metavar": "FOLDER",
            "help": "with --recipe: keep the earlier stages here, where several runs can share them (default: in "
            "--output_dir)",
        },
    )


@dataclass
class WordVectorOptions:
    """How word vectors are trained; the names and meanings are gensim's and fastText's."""

    _argument_group_name = "word vectors"

    output: str = field(
        metadata={
            "metavar": "FILE",
            "help": "where the vectors go (required): .safetensors, .vec or .txt (word2vec text), or .bin (word2vec "
            "binary)",
        }
    )
    tokenizer: str | None = field(
        default=None,
        metadata={
            "metavar": "FOLDER|HUB_ID",
            "help": "use this tokenizer (default: build one from the texts, by the options under 'text to ids')",
        },
    )
    vector_size: int = field(default=128, metadata={"help": "size of a vector: the model's --embedding_size", "min": 1})
    window: int = field(
        default=5, metadata={"help": "maximum distance, in tokens, between a token and its context", "min": 1}
    )
    negative: int = field(default=5, metadata={"help": "number of negative samples per context token", "min": 1})
    min_n: int = field(default=1, metadata={"help": "length of the shortest n-grams, in characters", "min": 1})
    max_n: int = field(
        default=4, metadata={"help": "length of the longest n-grams, in characters; 0: no n-grams (plain word2vec)"}
    )
    bucket: int = field(default=500_000, metadata={"help": "number of hash buckets for the n-grams", "min": 1})
    sample: float = field(default=1e-3, metadata={"help": "downsample tokens that are more frequent than this share"})
    alpha: float = field(default=0.05, metadata={"help": "initial learning rate; it decays linearly"})
    epochs: int = field(default=3, metadata={"help": "number of passes over the texts", "min": 1})
    workers: int | None = field(
        default=None,
        metadata={"help": "number of threads (default: one per core); a seed fixes the vectors only with 1", "min": 1},
    )
    seed: int = field(default=42, metadata={"help": "seed of the initial vectors and of all sampling"})

    def __post_init__(self) -> None:
        """Check the ranges."""
        check_ranges(vars(self), fields(self))
        if self.max_n != 0 and self.max_n < self.min_n:
            raise ValueError(f"max_n is {self.max_n}; it has to be min_n ({self.min_n}) or more, or 0")
        if self.alpha <= 0 or self.sample < 0:
            raise ValueError("alpha has to be above 0, and sample 0 or more")
