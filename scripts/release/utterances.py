"""Make Korean utterances from frames: requests, prohibitions, questions, statements and fragments, politely or not.

Reviews and petitions hardly ever ask for anything. What people say to each other and to a machine differs from them in
its endings, and the frames in utterances.yaml have them. A frame's `{n}` is a noun, `{v}` one that 하다 follows,
`{t}` a time, `{l}` a place and `{p}` a person. What stands after a slot in square brackets is a particle, whose form
depends on the noun's last sound.
"""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

PARTS = Path(__file__).with_name("utterances.yaml")

# Pairs of particles: after a consonant, after a vowel.
PARTICLES = {
    "을": "을를",
    "이": "이가",
    "은": "은는",
    "과": "과와",
    "으로": ("으로", "로"),
    "이랑": ("이랑", "랑"),
    "이나": ("이나", "나"),
    "이야": ("이야", "야"),
    "이에요": ("이에요", "예요"),
}
SLOT = re.compile(r"\{(\w)\}(?:\[(\w+)\])?")

ENDINGS = ("", "", "", "", "요?", "?", ".", "!", "~", "...")


def has_coda(word: str) -> bool:
    """Return whether a word ends in a consonant, as far as its last character tells."""
    last = word[-1]
    return "가" <= last <= "힣" and (ord(last) - ord("가")) % 28 > 0


def with_particle(word: str, particle: str) -> str:
    """Return a word with the form of a particle that fits its last sound."""
    after_consonant, after_vowel = PARTICLES.get(particle, (particle, particle))
    # After ㄹ, 으로 becomes 로.
    if particle == "으로" and (ord(word[-1]) - ord("가")) % 28 == 8:
        return word + after_vowel
    return word + (after_consonant if has_coda(word) else after_vowel)


def utterances(nouns: Sequence[str], count: int, seed: int) -> Iterator[str]:
    """Yield utterances, each frame as often as the others.

    Args:
        nouns: What `{n}` may be.
        count: How many.
        seed: Seed of the choices.
    """
    draw = random.Random(seed)
    parts = yaml.safe_load(PARTS.read_text("utf-8"))
    slots: dict[str, Sequence[str]] = {
        "n": nouns,
        "v": parts["actions"],
        "t": parts["times"],
        "l": parts["places"],
        "p": parts["people"],
    }
    frames = [frame for group in parts["frames"].values() for frame in group]

    def fill(match: re.Match[str]) -> str:
        word = draw.choice(slots[match[1]])
        return with_particle(word, match[2]) if match[2] else word

    for _ in range(count):
        yield SLOT.sub(fill, draw.choice(frames)) + draw.choice(ENDINGS).replace("요?", "?")
