"""Stop on a Python that is too old before pip downloads torch; everything else stands in pyproject.toml."""

import sys

from setuptools import setup

if sys.version_info < (3, 11):  # noqa: UP036 (pip reads this file before it checks requires-python)
    sys.exit("okt-lstm needs Python 3.11 or later; this is Python " + sys.version.split()[0])

setup()
