"""Excel's files, which oktane's readers of tables know as soon as this module is imported. openpyxl reads them."""

import datetime
from collections.abc import Iterator
from typing import Any
from zipfile import ZipFile

from oktane.encodings import say_once
from oktane.lines import FileError
from oktane.paths import SUFFIXES
from oktane.readers import READERS
from oktane.row_reader import RecordReader

MOST_ROWS = 1_048_576
"""How many rows Excel gives a sheet."""
# Apache POI refuses parts that are compressed better than this, too: such a file is small and fills the memory.
_MOST_COMPRESSION = 100
# A part of this many bytes may be compressed to any size.
_HARMLESS = 1 << 24
# Rows that are read twice, to find formulas without results.
_CHECKED_ROWS = 200


class _XlsxReader(RecordReader):
    """The rows of a sheet, as text: what a csv file that Excel writes would hold."""

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        width = 0
        for number, cells in enumerate(self._cells(), 1):
            if number > MOST_ROWS:
                raise FileError(f"{self.path}: numbers a row above {MOST_ROWS:,}, the most that a sheet has")
            fields = [_to_text(value) for value in cells]
            if any(fields):
                # Blank cells at the end of a row are left out in the file.
                width = width or len(fields)
                yield number, fields + [""] * (width - len(fields))

    def _cells(self) -> Iterator[tuple[Any, ...]]:
        try:
            import openpyxl
        except ImportError:
            raise FileError(
                f"{self.path}: openpyxl reads xlsx files; install it: pip install 'okt-lstm[xlsx]'"
            ) from None
        try:
            self._refuse_bomb()
            sheet = self._sheet(openpyxl.load_workbook(self._stream, read_only=True, data_only=True))
            self._refuse_lost_results(sheet.title)
            # Some programs write a wrong size, and cells beyond it would be left out.
            sheet.reset_dimensions()
            yield from sheet.iter_rows(values_only=True)
        except (FileError, OSError):
            raise
        # openpyxl reads a damaged file until something fails, with errors of any kind.
        except Exception as exception:
            raise FileError(f"{self.path}: not an xlsx file, or a damaged one ({exception})") from None

    def _refuse_bomb(self) -> None:
        """Refuse a file with a part that is much larger than what is compressed."""
        with ZipFile(self._stream) as archive:
            for part in archive.infolist():
                if part.file_size > max(_HARMLESS, _MOST_COMPRESSION * part.compress_size):
                    raise FileError(
                        f"{self.path}: {part.filename} has {part.compress_size:,} bytes and would have "
                        f"{part.file_size:,} when it is decompressed; if you trust the file, save it as csv"
                    )

    def _sheet(self, book: Any) -> Any:
        wanted, sheets = self.options.sheet, book.worksheets
        if wanted is None:
            # A hidden sheet is not what its owner sees.
            sheet = next((sheet for sheet in sheets if sheet.sheet_state == "visible"), sheets[0])
            if len(sheets) > 1:
                names = ", ".join(book.sheetnames)
                say_once(f"{self.path}: the sheet {sheet.title!r} is read; --sheet names another of {names}")
            return sheet
        if wanted in book.sheetnames:
            return book[wanted]
        if wanted.isdecimal() and 1 <= int(wanted) <= len(sheets):
            return sheets[int(wanted) - 1]
        raise FileError(f"{self.path}: has no sheet {wanted!r} (--sheet); its sheets are {', '.join(book.sheetnames)}")

    def _refuse_lost_results(self, title: str) -> None:
        """Refuse formulas without their results, which look like blank cells. The first rows show whether some are.

        Raises:
            FileError: There are some.
        """
        import openpyxl

        values, formulas = (
            openpyxl.load_workbook(self._stream, read_only=True, data_only=data_only)[title].iter_rows(
                max_row=_CHECKED_ROWS, values_only=True
            )
            for data_only in (True, False)
        )
        for number, (row, written) in enumerate(zip(values, formulas, strict=True), 1):
            for value, formula in zip(row, written, strict=True):
                if value is None and isinstance(formula, str) and formula.startswith("="):
                    raise FileError(
                        f"{self.path}, row {number}: the result of the formula {formula!r:.40} is not in the file; "
                        "open it in Excel and save it"
                    )


def _to_text(value: Any) -> str:
    """Return a cell's value as text: whole numbers without a fraction, dates in ISO 8601."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return str(value)


SUFFIXES[".xlsx"] = SUFFIXES[".xlsm"] = "xlsx"
READERS["xlsx"] = _XlsxReader
