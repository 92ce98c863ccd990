"""Hangul in conjoining jamo, as macOS writes file names, composed as `oktane.Okt` composes it."""

import re
from unicodedata import normalize

# Two or three conjoining jamo that make a syllable, or a syllable and its final consonant, or any other character.
_PIECES = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[가-힣][\u11a8-\u11c2]|.", re.DOTALL)


def compose_hangul(text: str) -> tuple[str, list[int]]:
    """Compose the Hangul of a text, and leave everything else as it is.

    Returns:
        The text, and for each of its characters where it begins in the given text; at last, where that ends.
    """
    pieces = [(match.start(), match[0]) for match in _PIECES.finditer(text)]
    composed = [(start, normalize("NFC", piece) if len(piece) > 1 else piece) for start, piece in pieces]
    sources = [start + i for start, piece in composed for i in range(len(piece))]
    return "".join(piece for _, piece in composed), [*sources, len(text)]
