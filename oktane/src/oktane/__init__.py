"""Okt without Java: the morphological analyzer that konlpy runs in a JVM, compiled, with the same output.

    from oktane import Okt
    Okt().morphs("단독입찰보다 복수입찰의 경우")

The algorithm and the word lists are Open Korean Text's (Apache-2.0).
"""

__version__ = "0.2.0"

try:
    import oktane._core  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"oktane's compiled core can't be imported ({error}); reinstall oktane: "
        "pip install --force-reinstall oktane, or from its source: pip install --force-reinstall ./oktane"
    ) from None

from .dictionary import DictionaryError
from .okt import Morphemes, Okt, Token
from .parallel import available_cores

__all__ = ["DictionaryError", "Morphemes", "Okt", "Token", "__version__", "available_cores"]
