"""Data in any form in; columns of text and label out."""
