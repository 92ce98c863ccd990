"""Okt without Java: the morphological analyzer that konlpy runs in a JVM, compiled, with the same output.

    from oktane import Okt
    Okt().morphs("단독입찰보다 복수입찰의 경우")

The algorithm and the word lists are Open Korean Text's (Apache-2.0).

It also runs the classifiers that okt-lstm trained, without torch:

    import oktane
    oktane.load("out").predict("연기도 연출도 최고였다")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

try:
    import oktane._core  # noqa: F401
except ImportError as error:
    raise ImportError(
        f"oktane's compiled core can't be imported ({error}); reinstall oktane from its source: "
        "pip install --force-reinstall ./oktane"
    ) from None

from .dictionary import DictionaryError
from .folders import LoadError
from .okt import Morphemes, Okt, Token
from .parallel import available_cores, chunks

if TYPE_CHECKING:
    from .batch_functions import BatchAnalyzer, BatchPredictor
    from .classifier import Classifier, load
    from .encoder import Encoder, load_encoder

__all__ = [
    "BatchAnalyzer",
    "BatchPredictor",
    "Classifier",
    "DictionaryError",
    "Encoder",
    "LoadError",
    "Morphemes",
    "Okt",
    "Token",
    "__version__",
    "available_cores",
    "chunks",
    "load",
    "load_encoder",
]


def __getattr__(name: str) -> Any:
    """Import what runs models, and numpy with it, only where it is used."""
    modules = {
        "batch_functions": ("BatchAnalyzer", "BatchPredictor"),
        "classifier": ("Classifier", "load"),
        "encoder": ("Encoder", "load_encoder"),
    }
    for module, names in modules.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
