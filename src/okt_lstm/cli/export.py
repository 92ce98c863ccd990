"""`okt-lstm export`."""

from collections.abc import Sequence

from ..training.parsing import CommandParser

SUMMARY = "Write a trained classifier for another runtime."
_EXAMPLES = ("okt-lstm export out onnx --format onnx", "okt-lstm export out onnx --format onnx --int8")


def export(argv: Sequence[str]) -> None:
    """Run `okt-lstm export` with these words."""
    parser = CommandParser("okt-lstm export", SUMMARY, _EXAMPLES, "FOLDER OUT --format FORMAT [options]")
    parser.add_argument("folder", metavar="FOLDER", help="the --output_dir of `okt-lstm train`")
    parser.add_argument("out", metavar="OUT", help="the folder to write; an earlier export there is replaced")
    parser.add_argument("--format", choices=("onnx",), required=True, help="onnx: a graph for ONNX Runtime")
    parser.add_argument(
        "--int8", action="store_true", help="write a second graph with weights in int8; it is smaller and less exact"
    )
    options = parser.parse_words(argv)
    from ..inference.onnx_export import export_onnx

    print(export_onnx(options.folder, options.out, int8=options.int8))
