"""`okt-lstm predict`: oktane's command, with every model that okt-lstm can load."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from oktane import predict_command

from ..atomic import FileError
from ..data.options import DATA_ARGUMENTS_NAME, FORMATS
from ..training.parsing import CommandParser
from .model_options import add_model_options, load_model
from .paths import check_paths
from .predict_tags import predict_tags

if TYPE_CHECKING:
    from oktane.base_classifier import BaseClassifier
    from oktane.folders import TextColumns

SUMMARY = "Label texts: arguments, the rows of files, or the lines of standard input as they arrive."
_TAGGERS = """\
A model of `okt-lstm train --task token-classification` gives a line for each entity: its text,
label, start, end, score and the whole text. A file has a column `entities` with these. A model of
`--task spacing` gives the texts with their spaces restored. A file has them in a column `spaced`.
"""
_EXAMPLES = (
    "okt-lstm predict 연기도 연출도 최고였다",
    "okt-lstm predict --model out --input reviews.csv --output labels.csv",
)


def predict(argv: Sequence[str]) -> None:
    """Run `okt-lstm predict` with these words."""
    description = f"{SUMMARY}\n\n{predict_command.DETAILS}\n{_TAGGERS}"
    parser = CommandParser("okt-lstm predict", description, _EXAMPLES, "[TEXT ...] [options]")
    predict_command.add_options(parser, "okt-lstm", FORMATS)
    add_model_options(parser)
    options = parser.parse_words(argv)
    options.parser = parser
    for number, text in enumerate(options.texts, 1):
        if not text.isprintable() and any("\ud800" <= character <= "\udfff" for character in text):
            raise FileError(f"text {number} of the arguments is not UTF-8: {text!r}")
        # Path.is_file fails for a text that is too long for a name.
        if options.model is None and text and os.path.isfile(f"{text}/config.json"):  # noqa: PTH113
            print(f"okt-lstm: warning: {text} is the folder of a model; did you mean --model {text}?", file=sys.stderr)
    if options.model is not None:
        from ..inference.loading import is_tagger

        if is_tagger(options.model, options.revision, options.token):
            check_paths({"input": options.input})
            predict_tags(options)
            return

    def load() -> tuple[BaseClassifier, TextColumns]:
        return load_model(options), _trained_columns(options.model, options.revision, options.token)

    predict_command.predict(options, load)


def _trained_columns(model: str | None, revision: str | None, token: str | None) -> TextColumns:
    from oktane.folders import UNKNOWN_COLUMNS, released_model, trained_columns

    from ..inference.loading import find_model_file

    file = find_model_file(model or str(released_model()), DATA_ARGUMENTS_NAME, revision, token)
    return trained_columns(file.parent) if file else UNKNOWN_COLUMNS
