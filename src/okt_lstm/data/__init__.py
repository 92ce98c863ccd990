"""Data in any form in; columns of text and label out."""

# oktane's readers and writers of tables know parquet from here on.
from . import parquet  # noqa: F401
