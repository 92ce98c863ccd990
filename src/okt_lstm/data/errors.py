"""The error of a data set that can't be used."""


class DataError(ValueError):
    """A data set can't be used as it is; the message says what is wrong, where, and what to do."""
