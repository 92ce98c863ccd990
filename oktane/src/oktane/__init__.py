"""Okt without Java: the morphological analyzer that konlpy runs in a JVM, compiled, with the same output.

    from oktane import Okt
    Okt().morphs("단독입찰보다 복수입찰의 경우")

The algorithm and the word lists are Open Korean Text's (Apache-2.0); the lists are read from the installed konlpy.
"""

from .dictionary import DictionaryError
from .okt import Morphemes, Okt, Token

__version__ = "0.1.0"

__all__ = ["DictionaryError", "Morphemes", "Okt", "Token", "__version__"]
