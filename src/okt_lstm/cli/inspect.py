"""`okt-lstm inspect`."""

import json
from collections.abc import Sequence
from pathlib import Path

from ..atomic import target_path
from .data_options import add_data_options, parse_table, table_parser
from .paths import check_paths

SUMMARY = "Say what a table holds, and what `train` would do with it."
_EXAMPLES = ("okt-lstm inspect reviews.csv", "okt-lstm inspect reviews.xlsx --plot reviews.png --json")


def inspect(argv: Sequence[str]) -> None:
    """Run `okt-lstm inspect` with these words."""
    parser = table_parser("inspect", SUMMARY, _EXAMPLES)
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines for people")
    parser.add_argument("--plot", metavar="FILE", help="draw the classes and the lengths of texts to this PNG file")
    add_data_options(parser)
    options, data_options = parse_table(parser, argv)
    check_paths({"dataset": options.dataset, "data_dir": options.data_dir})
    if options.plot:
        target_path(options.plot)
    import datasets

    datasets.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    from ..data.inspection import inspect_data
    from ..reports.inspection import inspection_lines, most_frequent

    found = inspect_data(data_options)
    if options.plot:
        from ..reports.plots import plot_data

        plot_data(most_frequent(found.classes), found.character_lengths, Path(options.plot))
    if options.json:
        print(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    print("\n".join(inspection_lines(found)))
