"""Okt without Java: the morphological analyzer that konlpy runs in a JVM, compiled, with the same output.

    from oktane import Okt
    Okt().morphs("단독입찰보다 복수입찰의 경우")

The algorithm and the word lists are Open Korean Text's (Apache-2.0); the lists are read from the installed konlpy.

And what labels texts with okt-lstm's trained models, without torch:

    import oktane
    oktane.load("out").predict("연기도 연출도 최고였다")
"""

from typing import TYPE_CHECKING, Any

from .dictionary import DictionaryError
from .okt import Morphemes, Okt, Token

if TYPE_CHECKING:
    from .classifier import Classifier, load
    from .loading import LoadError

__version__ = "0.1.0"

__all__ = ["Classifier", "DictionaryError", "LoadError", "Morphemes", "Okt", "Token", "__version__", "load"]


def __getattr__(name: str) -> Any:
    """Import the classifiers, and numpy with them, only where they are used."""
    if name in ("Classifier", "LoadError", "load"):
        from . import classifier

        return getattr(classifier, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
