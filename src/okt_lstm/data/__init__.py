"""Data in any form in; columns of text and label out."""

# oktane's readers and writers of tables know these formats from here on.
from . import arrow, parquet, xlsx  # noqa: F401
