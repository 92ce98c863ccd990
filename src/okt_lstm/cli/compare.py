"""`okt-lstm compare`."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from oktane.folders import local_folder

from ..atomic import FileError
from ..training.parsing import CommandParser
from .paths import check_paths

SUMMARY = "Put trained models side by side: settings that differ, scores, size and speed."
_TEXTS = ("연기도 연출도 최고였다", "배송이 생각보다 너무 늦게 왔어요", "오늘 날씨 어때?", "시간이 아깝다 정말...")


def compare(argv: Sequence[str]) -> None:
    """Run `okt-lstm compare` with these words."""
    parser = CommandParser(
        "okt-lstm compare",
        f"{SUMMARY}\n\nThe tables are printed as Markdown. Scores are those of the models' cards, on the last split\n"
        "that was measured. The speed is measured now, on short texts.",
        ("okt-lstm compare out1 out2", "okt-lstm compare runs/* --output comparison.png"),
        "FOLDER FOLDER ... [options]",
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="what `okt-lstm train` left")
    parser.add_argument("--output", metavar="FILE.png", help="draw the scores, too")
    options = parser.parse_words(argv)
    if options.output and not options.output.lower().endswith(".png"):
        parser.error(f"--output is {options.output}; the picture is a .png file")
    check_paths({"output": options.output})
    folders = []
    for name in options.folders:
        folder = local_folder(name)
        if folder is None:
            raise FileError(f"{name}: no such folder")
        folders.append(folder)
    from ..inference.loading import load
    from ..reports.comparison import compare as tables_of
    from ..reports.comparison import draw_comparison, read_run

    names = _names(folders)
    texts = list(_TEXTS) * 250
    runs = [read_run(folder, name, load(folder), texts) for folder, name in zip(folders, names, strict=True)]
    print(tables_of(runs))
    if options.output:
        draw_comparison(runs, Path(options.output))


def _names(folders: Sequence[Path]) -> list[str]:
    """Return the folders' own names, or their paths where two have the same."""
    names = [folder.resolve().name for folder in folders]
    return [str(folder) if Counter(names)[name] > 1 else name for folder, name in zip(folders, names, strict=True)]
