"""`okt-lstm generate`."""

import os
import sys
from collections.abc import Sequence

from ..atomic import FileError
from ..training.parsing import CommandParser

SUMMARY = "Continue texts with a language model: arguments, or the lines of standard input."
_DESCRIPTION = f"""{SUMMARY}

The model is one that `okt-lstm pretrain --direction forward` trained. Each text gives a line with the
text and what follows it, or several with --num_return_sequences. An empty text lets the model begin.
By default it draws each token by its probability; --do_sample false takes the most probable ones."""
_EXAMPLES = (
    'okt-lstm generate --model out "이 영화는"',
    'okt-lstm generate --model out --num_beams 5 --do_sample false "배우들의 연기가"',
)


def generate(argv: Sequence[str]) -> None:
    """Run `okt-lstm generate` with these words."""
    parser = CommandParser("okt-lstm generate", _DESCRIPTION, _EXAMPLES, "[TEXT ...] --model FOLDER [options]")
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="a text to continue")
    parser.add_argument("--model", metavar="FOLDER|HUB_ID", required=True, help="the language model (required)")
    parser.add_argument("--max_new_tokens", metavar="N", type=int, default=50, help="stop after N tokens (default: 50)")
    parser.add_argument(
        "--do_sample", choices=("true", "false"), default="true", help="draw tokens by probability (default: true)"
    )
    parser.add_argument("--temperature", metavar="T", type=float, default=1.0, help="below 1: safer; above 1: bolder")
    parser.add_argument("--top_k", metavar="N", type=int, default=50, help="draw from the N best tokens (default: 50)")
    parser.add_argument(
        "--top_p", metavar="P", type=float, default=1.0, help="draw from the best tokens up to this sum"
    )
    parser.add_argument("--num_beams", metavar="N", type=int, default=1, help="beams of a beam search (default: none)")
    parser.add_argument("--num_return_sequences", metavar="N", type=int, default=1, help="texts for each text")
    parser.add_argument("--seed", metavar="N", type=int, help="draw the same texts each time")
    parser.add_argument("--revision", metavar="NAME", help="branch, tag or commit of a model on the Hub")
    parser.add_argument("--token", help="Hub token for a private model (default: that of `hf auth login`)")
    parser.add_argument("--device", help="where to run, such as cuda:1 (default: cpu)")
    options = parser.parse_words(argv)
    for name in ("max_new_tokens", "num_beams", "num_return_sequences", "top_k"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} has to be at least 1, not {getattr(options, name)}")
    if not options.temperature > 0 or not 0 < options.top_p <= 1:
        parser.error("--temperature has to be above 0, and --top_p above 0 and at most 1")
    samples = options.do_sample == "true"
    if not samples and options.num_return_sequences > options.num_beams:
        parser.error("without sampling, --num_return_sequences can be at most --num_beams")
    if sys.stdin is None and not options.texts:
        raise FileError("standard input is closed: give texts as arguments")
    if not sys.stderr.isatty():
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from transformers import set_seed

    from ..inference.loading import load_generator
    from ..inference.torch_loading import quiet_transformers

    how = {name: getattr(options, name) for name in ("max_new_tokens", "num_beams", "num_return_sequences")}
    if samples:
        how |= {"do_sample": True, **{name: getattr(options, name) for name in ("temperature", "top_k", "top_p")}}
    with quiet_transformers():
        generator = load_generator(options.model, options.revision, options.token, options.device)
        if options.seed is not None:
            set_seed(options.seed)
        for text in options.texts or (line.rstrip("\r\n") for line in sys.stdin):
            for result in generator.generate([text], **how):
                print(" ".join(result.splitlines()))
