"""Data in any form in; columns of text and label out."""

# oktane's readers of tables know Excel's files from here on.
from . import xlsx  # noqa: F401
