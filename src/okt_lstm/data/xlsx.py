"""Excel's files, which oktane's readers of tables know as soon as this module is imported. openpyxl reads them."""

import datetime
from collections.abc import Iterator
from typing import Any
from zipfile import BadZipFile

from oktane.encodings import say_once
from oktane.lines import FileError
from oktane.paths import SUFFIXES
from oktane.readers import READERS
from oktane.row_reader import RecordReader

# Rows that are read twice, to find formulas without results.
_CHECKED_ROWS = 200


class _XlsxReader(RecordReader):
    """The rows of a sheet, as text: what a csv file that Excel writes would hold."""

    def _records(self) -> Iterator[tuple[int, list[str]]]:
        try:
            import openpyxl
            from openpyxl.utils.exceptions import InvalidFileException
        except ImportError:
            raise FileError(
                f"{self.path}: openpyxl reads xlsx files; install it: pip install 'okt-lstm[xlsx]'"
            ) from None
        try:
            book = openpyxl.load_workbook(self._stream, read_only=True, data_only=True)
        except (InvalidFileException, BadZipFile, KeyError, ValueError) as exception:
            raise FileError(f"{self.path}: not an xlsx file ({exception})") from None
        sheet = self._sheet(book)
        self._refuse_lost_results(sheet.title)
        # Some programs write a wrong size, and cells beyond it would be left out.
        sheet.reset_dimensions()
        width = 0
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            fields = [_to_text(value) for value in cells]
            if any(fields):
                # Blank cells at the end of a row are left out in the file.
                width = width or len(fields)
                yield number, fields + [""] * (width - len(fields))

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
