#!/usr/bin/env python3
"""Put a trained sentence encoder into oktane: in half precision, with a card that says what it learned from.

    python release_encoder.py encoder --texts all.json

`encoder` is what `okt-lstm train-encoder --recipe encoder` left, and `all.json` what encoder_texts.py or
edited_texts.py wrote beside the texts. The encoder replaces the one in oktane/src/oktane/data/encoder only if it is
small enough and half precision does not change its vectors.
"""

import argparse
import json
import re
import tempfile
from pathlib import Path

import oktane
from okt_lstm.inference.export import export_model
from okt_lstm.reports.model_card import table

RELEASED = Path(__file__).parents[2] / "oktane" / "src" / "oktane" / "data" / "encoder"
# In bytes, all files together.
LARGEST = 12_000_000
# The least cosine of a vector before and after.
LEAST_COSINE = 0.9999
SAMPLES = 5000

# Takes the place of what the card of a trained folder says: the folder inside the package holds no Python files.
USE = """\
## Use

The encoder is inside the package oktane, which `pip install ./oktane` installs in a clone of its repository:

```python
from oktane import load_encoder

encoder = load_encoder()
vectors = encoder.encode(["배송이 늦어요", "물건이 안 와요"])
similarity = vectors @ vectors.T
```

"""


def check(trained: Path, copy: Path, texts: list[str]) -> str:
    """Compare the copy with the trained folder, and return a paragraph about it.

    Raises:
        SystemExit: If the copy is too large or has other vectors.
    """
    size = sum(path.stat().st_size for path in copy.rglob("*") if path.is_file())
    if size > LARGEST:
        raise SystemExit(f"the copy has {size:,} bytes, more than {LARGEST:,}: nothing was replaced")
    before, after = (oktane.load_encoder(folder).encode(texts) for folder in (trained, copy))
    least = float((before * after).sum(axis=1).min())
    if least < LEAST_COSINE:
        raise SystemExit(f"half precision changes a vector: cosine {least:.5f}; nothing was replaced")
    return (
        f"Its weights are stored in half precision and computed with in single precision. The folder takes "
        f"{size / 1e6:.1f} MB. The least cosine of a vector before and after the conversion is {least:.5f}, over "
        f"{len(texts):,} texts."
    )


def main() -> None:
    """Export, check, and put the encoder in its place."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trained", type=Path, help="folder that `okt-lstm train-encoder` left")
    parser.add_argument("--texts", type=Path, required=True, help="the json file beside the texts")
    parser.add_argument("--released", type=Path, default=RELEASED, help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    kinds = json.loads(options.texts.read_text("utf-8"))
    with options.texts.with_suffix(".txt").open(encoding="utf-8") as stream:
        samples = [line.strip() for line, _ in zip(stream, range(SAMPLES), strict=False)]
    rows = [[kind["kind"], kind["source"], f"{kind['texts']:,}"] for kind in kinds]
    with tempfile.TemporaryDirectory() as temporary:
        copy = export_model(options.trained, Path(temporary) / "copy")
        paragraph = check(options.trained, copy, samples)
        card = (copy / "README.md").read_text(encoding="utf-8")
        card = re.sub(r"## Use\n.*?(?=## Training)", lambda _: USE, card, flags=re.DOTALL)
        card = card.replace(
            "\n## Limitations\n",
            f"\n### The texts\n\n{table(['kind', 'source', 'texts'], rows)}\n"
            "\nThe test and validation texts of the corpora that it is measured on were left out.\n\n## Limitations\n",
        )
        card += f"\n\n## Inside oktane\n\n{paragraph}\n"
        (copy / "README.md").write_text(card, encoding="utf-8")
        export_model(copy, options.released)
    print(f"{paragraph} Written to {options.released}.")


if __name__ == "__main__":
    main()
