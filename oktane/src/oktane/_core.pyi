"""Types of the compiled core; _core.pyx has the documentation."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

T = TypeVar("T")

FORMAT: int
PARTS_OF_SPEECH: tuple[str, ...]

class Characters:
    chars: memoryview
    starts: memoryview
    def __init__(self, data: Any, offsets: Any) -> None: ...
    def __len__(self) -> int: ...

class Dictionary:
    digest: bytes
    def __init__(self, packed: Any) -> None: ...
    def strings(self, texts: Iterable[str], task: str, norm: bool, stem: bool) -> list[list[str]]: ...
    def pairs(self, texts: Iterable[str], norm: bool, stem: bool, join: bool) -> list[list[Any]]: ...
    def tokens(
        self, texts: Iterable[str], norm: bool, stem: bool, make: Callable[[str, str, int, int, str | None, bool], T]
    ) -> list[list[T]]: ...
    def morphemes(
        self,
        texts: Iterable[str] | Characters,
        norm: bool,
        stem: bool,
        kept: int = ...,
        stopwords: frozenset[str] = ...,
    ) -> tuple[list[str], memoryview, memoryview, memoryview]: ...
    def lookup(self, word: str) -> tuple[int, str | None, str | None]: ...
    def predicates(self) -> list[set[str]]: ...
    def extended(
        self,
        words: list[str],
        entries: list[tuple[int, ...]],
        stems: list[str],
        digest: bytes,
        fixed: list[tuple[str, bytes]] = ...,
    ) -> Dictionary: ...

def pack(
    words: list[str],
    entries: list[tuple[float, int, int, int, int]],
    stems: list[str],
    corrections: list[str],
    digest: bytes,
) -> bytes: ...
