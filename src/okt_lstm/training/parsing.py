"""From the words of a command line to the options that were given: a dictionary, checked by name and type.

Nothing heavy is imported unless a word may be one of transformers' own options, so that `--help` and mistakes are
answered at once.
"""

import argparse
import difflib
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from types import UnionType
from typing import Any, Literal, NoReturn, Union, get_args, get_origin

from .commands import TRAIN, Command, defaults, training_argument_names, training_argument_values
from .renamed import ALIASES, current_name, current_options
from .values import check_name, check_ranges, read_table, typed


def parse(command: Command, argv: Sequence[str]) -> dict[str, Any]:
    """Return the options that a command line gives, without the defaults of the others.

    Args:
        command: The command.
        argv: The words after its name. `--config FILE` names a YAML or JSON file of options by name; flags win over it.

    Raises:
        OSError: If the file of options can't be read.
        ValueError: If it isn't a table of known options of the right types.
        SystemExit: For `--help`, and for unknown flags or values of the wrong type, as in argparse.
    """
    parser = _parser(command, everything=False)
    words = current_words(argv, command.names)
    namespace, rest = parser.parse_known_args(words)
    if vars(namespace).pop("help_all"):
        _parser(command, everything=True).print_help()
        parser.exit()
    path = vars(namespace).pop("config")
    given = current_options(vars(namespace))
    if rest:
        given |= _parse_training_arguments(parser, rest, command)
    try:
        given = _checked(given, command)
    except ValueError as error:
        parser.error(f"--{error}")
    if path is not None:
        given = read_options(Path(path), command) | given
    if missing := [name for name in command.required if name not in given]:
        what = command.options[missing[0]].metadata["help"].replace(" (required)", "")
        parser.error(f"needs --{missing[0]}: {what}")
    return given


def read_options(path: Path, command: Command) -> dict[str, Any]:
    """Read the options of a command from a YAML or JSON file.

    Raises:
        OSError: If it can't be read.
        ValueError: If it isn't a table of known options of the right types.
    """
    table = {name: value for name, value in read_table(path).items() if value is not None}
    if "stages" in table:
        raise ValueError(f"{path}: is a recipe, not a table of options: name it with --recipe {path}")
    try:
        return options_of(table, command)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def options_of(table: Mapping[str, Any], command: Command) -> dict[str, Any]:
    """Return the options of a command that a file gives, by their current names.

    Raises:
        ValueError: If a name is unknown, or a value has a wrong type.
    """
    known = command.names
    renamed = {current_name(name, known): value for name, value in table.items()}
    if unknown := [f"{name!r}{suggest(name, known)}" for name in renamed if name not in known]:
        raise ValueError(f"unknown option{'s' if len(unknown) > 1 else ''} {', '.join(unknown)}")
    return _checked(current_options(renamed), command)


def _checked(given: Mapping[str, Any], command: Command) -> dict[str, Any]:
    """Return options with a single value where a list is expected as a list of it.

    Raises:
        ValueError: If a value has a wrong type, is out of range, or is a name that transformers doesn't know.
    """
    options = typed(given, command.types)
    check_ranges(options, command.options.values())
    for name, value in options.items():
        if names := training_argument_values(name):
            check_name(name, value, names)
    if (metric := options.get("metric_for_best_model")) and command is TRAIN:
        names = command.options["metric_for_best_model"].metadata["names"]
        check_name("metric_for_best_model", metric.removeprefix("eval_"), names)
    return options


# Flags


def current_words(argv: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the words of a command line with the current full names of the options.

    `--batch-size 8` becomes `--per_device_train_batch_size 8` if the command knows that, and no `--batch_size`.

    Args:
        argv: The words.
        known: The names of the command's options.
    """
    known = set(known)
    words = []
    for word in argv:
        flag, equals, value = word.partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        is_option = flag.startswith("--") and name
        words.append(f"--{current_name(name, known)}{equals}{value}" if is_option else word)
    return words


class CommandParser(argparse.ArgumentParser):
    """Argument parser with grouped help and two-line errors that list every unknown option.

    Args:
        prog: What the command is called.
        summary: What it does; the help begins with that.
        examples: Ways to call it; the help ends with these.
        usage: Its positional words and required options.
    """

    def __init__(self, prog: str, summary: str, examples: Sequence[str], usage: str) -> None:
        super().__init__(
            prog=prog,
            usage=f"{prog} {usage}".rstrip(),
            description=summary,
            epilog="\n".join(["examples:", *(f"  {example}" for example in examples)]),
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """End the program with the message and where to look."""
        self.exit(2, f"{self.prog}: error: {message}\nHelp: {self.prog} --help\n")

    def parse_words(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse all words; unknown ones are errors with suggestions."""
        known = [flag.removeprefix("--") for flag in self._option_string_actions]
        namespace, rest = self.parse_known_args(current_words(argv, known))
        if rest:
            self.refuse(rest, known)
        return namespace

    def refuse(self, words: Iterable[str], known: Iterable[str]) -> NoReturn:
        """Exit with an error that names the unknown options."""
        known = set(known)
        flags = [word.partition("=")[0] for word in words if word.startswith("--")]
        names = [f"{flag}{suggest(flag.removeprefix('--'), known, '--')}" for flag in flags] or list(words)
        self.error(f"unknown option{'s' if len(names) > 1 else ''} {', '.join(names)}")


def suggest(name: str, known: Iterable[str], prefix: str = "", *, with_aliases: bool = True) -> str:
    """Return " (did you mean ...?)" with the known name that is most like this one, or nothing.

    Args:
        name: What was typed.
        known: What could have been meant.
        prefix: What stands before a name: `--`.
        with_aliases: Whether the aliases of options count, too.
    """
    known = set(known)
    aliases = {alias for alias, option in ALIASES.items() if with_aliases and option in known}
    close = difflib.get_close_matches(name, [*sorted(known), *aliases], n=1)
    return f" (did you mean {prefix}{close[0]}?)" if close else ""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Lays help out for 100 columns, and names the value of an option once, not as often as it can be given."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=36, width=min(100, shutil.get_terminal_size().columns))

    def _format_args(self, action: argparse.Action, default_metavar: str) -> str:
        if action.nargs == "+":
            return f"{action.metavar} ..."
        return "" if action.metavar == "" else super()._format_args(action, default_metavar)


def _parser(command: Command, *, everything: bool) -> CommandParser:
    """Return the parser of a command.

    Args:
        command: The command.
        everything: Whether its help shows all options, transformers' own included.
    """
    required = " ".join(f"--{name} {command.options[name].metadata['metavar']}" for name in command.required)
    parser = CommandParser(f"okt-lstm {command.name}", command.summary, command.examples, f"{required} [options]")
    types = command.types
    groups: dict[str, Any] = {}
    for part in command.parts:
        default_of = defaults(part)
        titles = [part._argument_group_name, *(field.metadata.get("group") for field in fields(part))]
        groups |= {
            title: parser.add_argument_group(title) for title in dict.fromkeys(titles) if title and title not in groups
        }
        for field in fields(part):
            group = groups[field.metadata.get("group", part._argument_group_name)]
            shown = everything or not (field.metadata.get("advanced") or field.name in command.hidden)
            _add(group, field.name, types[field.name], field.metadata, default_of[field.name], shown)
    parser.add_argument("--config", metavar="FILE", help="YAML or JSON file of options by name; flags win over it")
    parser.add_argument(
        "--help_all",
        action="store_true",
        help=f"show all options{', with those of transformers' if command.is_training else ''}",
    )
    if everything and command.is_training:
        from transformers import TrainingArguments

        group = parser.add_argument_group("transformers' TrainingArguments")
        for field in fields(TrainingArguments):
            if field.name not in command.options:
                group.add_argument(f"--{field.name}", metavar="X", help=_escape(field.metadata.get("help", "")))
    return parser


def _add(group: Any, name: str, hint: Any, metadata: Mapping[str, Any], default: Any, shown: bool) -> None:
    """Add an option to a group of a parser.

    Args:
        group: The group.
        name: The option's name.
        hint: Its type.
        metadata: What its help says; see `options`.
        default: What its help calls the default.
        shown: Whether the help names it.
    """
    types = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    value_type, text = types[0], metadata["help"]
    options: dict[str, Any]
    if value_type is bool:
        options = {"type": _bool, "nargs": "?", "const": True, "metavar": "true|false" if default else ""}
        hidden: dict[str, Any] = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        group.add_argument(f"--no_{name}", dest=name, action="store_false", **hidden)
    elif bool in types:
        options = {"type": _bool_or_text, "nargs": "?", "const": True}
    elif get_origin(value_type) is list:
        options = {"nargs": "+"}
    elif get_origin(value_type) is Literal:
        options = {"metavar": "|".join(get_args(value_type))}
    else:
        options = {"type": value_type, "metavar": {int: "N", float: "X"}.get(value_type, "TEXT")}
    if "metavar" in metadata:
        options["metavar"] = metadata["metavar"]
    if default and default is not MISSING:
        text += f" (default: {str(default).lower() if default is True else default})"
    group.add_argument(
        f"--{name}", default=argparse.SUPPRESS, help=_escape(text) if shown else argparse.SUPPRESS, **options
    )


def _escape(text: str) -> str:
    """Return text for argparse, which formats help by %."""
    return text.replace("%", "%%")


def _bool(text: str) -> bool:
    if text.lower() in ("true", "yes", "y", "t", "1"):
        return True
    if text.lower() in ("false", "no", "n", "f", "0"):
        return False
    raise argparse.ArgumentTypeError(f"true or false is expected, not {text!r}")


def _bool_or_text(text: str) -> bool | str:
    return text.lower() == "true" if text.lower() in ("true", "false") else text


def _parse_training_arguments(parser: CommandParser, rest: list[str], command: Command) -> dict[str, Any]:
    """Return those of transformers' own options that are given.

    Args:
        parser: The parser of the command, for errors.
        rest: The words that it does not know.
        command: The command.
    """
    theirs = training_argument_names() if command.is_training else frozenset()
    strange = [word for word in rest if word.startswith("--") and _name(word) not in theirs]
    if strange or not rest[0].startswith("--"):
        parser.refuse(strange or rest[:1], command.names)
    from transformers import HfArgumentParser, TrainingArguments
    from transformers.hf_argparser import DataClassType

    unset = object()
    their_parser = HfArgumentParser(DataClassType(TrainingArguments), prog=parser.prog, add_help=False)
    namespace, strays = their_parser.parse_known_args(rest, argparse.Namespace(**dict.fromkeys(theirs, unset)))
    if strays:
        parser.refuse(strays, command.names)
    return {name: value for name, value in vars(namespace).items() if value is not unset}


def _name(flag: str) -> str:
    """Return the option that a flag sets: `--no_NAME` is for those that are true by default."""
    return flag.partition("=")[0].removeprefix("--").removeprefix("no_")
