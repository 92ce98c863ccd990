"""The build backend: setuptools, which also gets konlpy to take Okt's word lists from where a wheel is built.

konlpy is no requirement of every build step, so that an unsuitable Python is refused before it is downloaded.
"""

from typing import Any

from setuptools import build_meta
from setuptools.build_meta import *  # noqa: F403

KONLPY = "konlpy==0.6.0"


def get_requires_for_build_wheel(config_settings: Any = None) -> list[str]:
    """Return what building a wheel needs; setup.py runs here for the first time."""
    return [*build_meta.get_requires_for_build_wheel(config_settings), KONLPY]


def get_requires_for_build_editable(config_settings: Any = None) -> list[str]:
    """Return what an editable install needs."""
    return [*build_meta.get_requires_for_build_editable(config_settings), KONLPY]
