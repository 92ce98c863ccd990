"""Options by name, as a file or a program gives them: read, and checked against their types and ranges."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import Field
from difflib import get_close_matches
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml


def read_table(path: Path) -> dict[str, Any]:
    """Read a YAML or JSON file of names and values.

    Raises:
        OSError: If it can't be read.
        ValueError: If it holds something else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_TABLE + 1)
        if len(content) > _LARGEST_TABLE:
            raise ValueError(f"{path}: has more than {_LARGEST_TABLE:,} bytes, so it is no table of options")
        table = yaml.load(content.decode(), Loader=_Loader)  # a SafeLoader
        if _size(table, _MOST_VALUES) > _MOST_VALUES:
            raise ValueError(f"{path}: has more than {_MOST_VALUES:,} values, those of aliases counted")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not valid YAML or JSON: {error}") from error
    except RecursionError:
        raise ValueError(f"{path}: tables and lists are nested too deep") from None
    if not isinstance(table, dict) or not all(isinstance(name, str) for name in table):
        raise ValueError(f"{path}: must be a table of names and values, such as `learning_rate: 0.001`")
    return table


# Far more than any recipe has.
_LARGEST_TABLE = 100_000
_MOST_VALUES = 100_000


def _size(value: Any, most: int) -> int:
    """Return how many values there are in a value, or more than `most` as soon as there are more.

    A few lines of YAML can name a list of lists ten times in each of ten levels.
    """
    if not isinstance(value, dict | list):
        return 1
    size = 1
    for part in value.values() if isinstance(value, dict) else value:
        size += _size(part, most - size)
        if size > most:
            break
    return size


class _Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML carries no types
    """Reads numbers such as 1e-3 as YAML 1.2 and JSON do. PyYAML, which follows YAML 1.1, takes them for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)$"), list("-+.0123456789")
)


def read_words(words: Iterable[str]) -> list[str]:
    """Return words, in place of each that is the path of a file the words in it, one a line.

    Raises:
        OSError: If a file can't be read.
        ValueError: If it is not UTF-8.
    """
    found: list[str] = []
    for word in words:
        path = Path(word).expanduser()
        if not path.is_file():
            found.append(word)
            continue
        try:
            found += path.read_text(encoding="utf-8-sig").splitlines()
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}: not UTF-8 text ({error.reason})") from None
    return found


def typed(given: Mapping[str, Any], types: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with a single value where a list is expected as a list of it, and the other way round.

    Args:
        given: The options by name.
        types: The type of each option. Those without one are not checked.

    Raises:
        ValueError: If a value has another type than its option.
    """
    options = {name: _as_list_or_single(value, types.get(name)) for name, value in given.items()}
    for name, value in options.items():
        if name in types and not fits(value, types[name]):
            raise ValueError(f"{name} is {value!r}; it has to be {_describe(types[name])}")
    return options


def _as_list_or_single(value: Any, hint: Any) -> Any:
    """Return a single value as a list where only a list will do, and a list of one as its value where that will do."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    origins: list[Any] = [get_origin(kind) for kind in kinds]
    if list in origins and str not in kinds:
        return value if isinstance(value, list) or value is None else [value]
    # Where a table will do, too, a list is something of its own.
    is_single = str in kinds and dict not in origins and isinstance(value, list) and len(value) == 1
    return value[0] if is_single else value


def fits(value: Any, hint: Any) -> bool:
    """Return whether a value has a type. A whole number is a float, too, but true and false are no numbers."""
    if hint is Any:
        return True
    if get_origin(hint) in (Union, UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) is list:
        return isinstance(value, list) and all(fits(one, get_args(hint)[0]) for one in value)
    if get_origin(hint) is dict:
        return isinstance(value, dict)
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float if hint is float else get_origin(hint) or hint)


_TYPES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", NoneType: ""}


def _describe(hint: Any) -> str:
    """Say in words what a type is."""
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(dict.fromkeys(filter(None, map(_describe, get_args(hint)))))
    if get_origin(hint) is Literal:
        return ", ".join(map(str, get_args(hint)[:-1])) + f" or {get_args(hint)[-1]}"
    if get_origin(hint) is list:
        return "a list"
    if get_origin(hint) is dict:
        return "a table"
    return _TYPES.get(hint, getattr(hint, "__name__", str(hint)))


def check_ranges(given: Mapping[str, Any], options: Iterable[Field[Any]]) -> None:
    """Check values against the `min` and `max` in the metadata of their fields.

    Args:
        given: The values by name. Those that are missing or None are not checked.
        options: The fields.

    Raises:
        ValueError: If a value is out of range.
    """
    for option in options:
        value, least, greatest = given.get(option.name), option.metadata.get("min"), option.metadata.get("max")
        if value is None or least is None or (least <= value and (greatest is None or value <= greatest)):
            continue
        limits = f"{least} or more" if greatest is None else f"between {least} and {greatest}"
        raise ValueError(f"{option.name} is {value}; it has to be {limits}")


def check_name(option: str, value: str, names: Iterable[str]) -> None:
    """Raise ValueError if a value is not one of `names`."""
    names = list(names)
    if value not in names:
        close = get_close_matches(value, names, n=3)
        raise ValueError(f"{option} is {value!r}; did you mean {' or '.join(close or names)}?")
