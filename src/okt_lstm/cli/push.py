"""`okt-lstm push`."""

from collections.abc import Sequence

from ..training.parsing import CommandParser

SUMMARY = "Upload a trained folder to the Hugging Face Hub."
_EXAMPLES = ("okt-lstm push out kim/film-reviews", "okt-lstm push out kim/film-reviews --private")


def push(argv: Sequence[str]) -> None:
    """Run `okt-lstm push` with these words."""
    parser = CommandParser("okt-lstm push", SUMMARY, _EXAMPLES, "FOLDER REPO_ID [options]")
    parser.add_argument("folder", metavar="FOLDER", help="the --output_dir of `okt-lstm train`")
    parser.add_argument(
        "repo_id", metavar="REPO_ID", help="owner/name of the repository; it is created if it is missing"
    )
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument("--revision", metavar="BRANCH", help="branch to push to")
    parser.add_argument("--commit_message", metavar="TEXT", help="message of the commit")
    parser.add_argument("--token", help="Hub token with write access (default: that of `hf auth login`)")
    parser.add_argument(
        "--include",
        metavar="NAME",
        nargs="+",
        default=(),
        help="push these files of the folder, too; see docs/sharing.md",
    )
    options = parser.parse_words(argv)
    from ..hub import push

    print(push(**vars(options)))
