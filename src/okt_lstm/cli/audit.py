"""`okt-lstm audit`."""

import csv
import sys
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence

from oktane.lines import escaped
from oktane.paths import file_format, find_files
from oktane.table_options import add_output_encoding

from ..atomic import target_path
from ..data.options import is_local
from .data_options import add_data_options, parse_table, table_parser
from .paths import check_paths

SUMMARY = "List the rows of a table whose labels are most likely mistaken, for a person to review."
_DESCRIPTION = f"""{SUMMARY}

A linear model predicts each row from the others, by cross-validation. A row is listed if the model
is surer of another label than it usually is of that one (confident learning, by cleanlab). The most
likely mistakes come first. Each has its place, text, label, suggested label and probabilities."""
_EXAMPLES = ("okt-lstm audit reviews.csv --output suspects.csv", "okt-lstm audit reviews.csv | head -50")


def audit(argv: Sequence[str]) -> None:
    """Run `okt-lstm audit` with these words."""
    parser = table_parser("audit", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("--output", metavar="FILE", help="write the list to this file (default: print it as csv)")
    add_output_encoding(parser)
    parser.add_argument("--limit", metavar="N", type=int, help="list at most N rows (default: all that are suspicious)")
    add_data_options(parser)
    options, data_options = parse_table(parser, argv)
    if options.output_encoding and not options.output:
        parser.error("--output_encoding goes with --output")
    if options.limit is not None and options.limit < 1:
        parser.error("--limit must be at least 1")
    check_paths({"dataset": options.dataset, "data_dir": options.data_dir})
    if options.output:
        target_path(options.output)
    import datasets

    datasets.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    from oktane.writers import open_writer

    from ..data.audit import COLUMNS, find_suspects, suspect_rows

    found = find_suspects(data_options)
    rows = list(suspect_rows(found))[: options.limit]
    print(
        f"okt-lstm: {len(found.suspects):,} of {found.rows:,} rows of {escaped(options.dataset)} may be labeled "
        f"wrongly; the model agrees with {found.accuracy:.1%} of the labels",
        file=sys.stderr,
    )
    if options.output:
        encoding = options.output_encoding or _excels_encoding(options.dataset, options.output)
        with open_writer(options.output, COLUMNS, encoding=encoding) as writer:
            writer.write(rows)
        return
    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)


def _excels_encoding(source: str, target: str) -> str | None:
    """Return utf-8-sig if csv is made of a file with a byte order mark, as Excel writes it; else None."""
    if not is_local(source) or file_format(target) != "csv":
        return None
    with find_files(source)[0].open("rb") as file:
        return "utf-8-sig" if file.read(3).startswith((BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)) else None
