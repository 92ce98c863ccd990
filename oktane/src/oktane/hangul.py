"""Compose Hangul that is written in conjoining jamo, as macOS writes file names: 한 as one character, not as three."""

import re
from collections.abc import Sequence

# The first byte in UTF-8 of all conjoining jamo, and of no other Korean character. A byte is found many times faster
# than a range of characters.
FIRST_BYTE = "\u1100".encode()[:1]
# Two or three jamo that make a syllable, or a syllable and its final consonant, or any other character.
PIECES = re.compile("[\u1100-\u1112][\u1161-\u1175][\u11a8-\u11c2]?|[가-힣][\u11a8-\u11c2]|.", re.DOTALL)


def compose_hangul(texts: Sequence[str]) -> tuple[Sequence[str], dict[int, list[int]]]:
    """Compose the Hangul of texts, as Unicode's form NFC does, and leave everything else as it is.

    Args:
        texts: The texts. What is not a str stays as it is.

    Returns:
        The composed texts. And for each text with conjoining jamo, by its index, where its characters come from:
        character `i` is `positions[i]:positions[i + 1]` of the given text.
    """
    try:
        if FIRST_BYTE not in "".join(texts).encode("utf-8", "surrogatepass"):
            return texts, {}
    except TypeError:
        return texts, {}
    # Hardly any text needs it.
    from unicodedata import normalize

    composed, positions = list(texts), {}
    for index, text in enumerate(texts):
        if FIRST_BYTE not in text.encode("utf-8", "surrogatepass"):
            continue
        characters: list[str] = []
        sources: list[int] = []
        for match in PIECES.finditer(text):
            piece = normalize("NFC", match[0]) if len(match[0]) > 1 else match[0]
            characters.append(piece)
            sources += range(match.start(), match.start() + len(piece))
        composed[index], positions[index] = "".join(characters), [*sources, len(text)]
    return composed, positions
