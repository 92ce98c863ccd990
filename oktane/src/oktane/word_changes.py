"""A user's words laid over the packed word lists, and taken out of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from . import _core
from .conjugation import conjugate, conjugate_all, decompose
from .user_words import LISTED, PREDICATES, REMOVE, SPLIT, can_be_looked_up, morphemes_of

# By part of speech, the bits of its lists (core/okt.h). A noun may stand in two lists of names, too.
BITS = {pos: 1 << number for number, pos in enumerate(LISTED)}
_NAMES = 1 << 13 | 1 << 14
# OKT_FIRST in core/dictionary.h.
_FIRST = 0x80


def digest_with(base: bytes, user_words: Mapping[str, Iterable[str]]) -> bytes:
    """Return the SHA-256 that names a dictionary with words laid over it, the same on every machine.

    Args:
        base: The SHA-256 of the dictionary below.
        user_words: What `read_user_dictionary` returned, not empty.
    """
    # Importing it takes a while, and few dictionaries need it.
    import hashlib

    lines = [base.hex(), *(f"{word}\t{pos}" for pos, words in user_words.items() for word in words)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).digest()


def change_words(base: _core.Dictionary, user_words: Mapping[str, Iterable[str]]) -> _core.Dictionary:
    """Return a dictionary with a user's changes, as if the changed lists had been packed at once.

    It is made in memory, in milliseconds; `base` stays as it is. Words are removed first, then added: a word that is
    removed from every list and added as a noun is a noun only.

    Args:
        base: A packed dictionary.
        user_words: What `read_user_dictionary` returned. A word with characters other than Hangul syllables and
            compatibility jamo, which Okt never looks up, is kept together wherever it stands in a text.
    """
    changes = _Changes(base)
    fixed = [morphemes_of(split) for split in user_words.get(SPLIT, ())]
    changes.remove(user_words)
    for pos in LISTED:
        words = [word for word in user_words.get(pos, ()) if not word.startswith("-")]
        fixed += [((word, pos),) for word in words if not can_be_looked_up(word)]
        changes.add(pos, list(filter(can_be_looked_up, words)))
    return changes.applied(digest_with(base.digest, user_words), fixed)


def words_in_no_list(base: _core.Dictionary, user_words: Mapping[str, Iterable[str]]) -> list[str]:
    """Return the words that a user removes from lists that don't have them: they may be misspelt."""
    predicates = base.predicates()
    lost = []
    for pos, words in user_words.items():
        removed = words if pos == REMOVE else [word[1:] for word in words if word.startswith("-")]
        for word in removed:
            listed = base.lookup(word)[0] & (-1 if pos == REMOVE else BITS.get(pos, 0))
            ending = "" if word.endswith("다") and pos == REMOVE else "다"
            kinds = [pos] if pos in PREDICATES else PREDICATES if pos == REMOVE else ()
            in_predicates = any(word + ending in predicates[PREDICATES.index(kind)] for kind in kinds)
            if not (listed or in_predicates):
                lost.append(word)
    return lost


class _Changes:
    """What changes of each word: the lists that it leaves and joins, and its stems there."""

    def __init__(self, base: _core.Dictionary) -> None:
        self._base = base
        self._added: dict[str, int] = {}
        self._removed: dict[str, int] = {}
        # By part of speech: the stem that each changed form has, or None if it has none any more.
        self._stems: dict[str, dict[str, str | None]] = {pos: {} for pos in PREDICATES}

    def remove(self, user_words: Mapping[str, Iterable[str]]) -> None:
        """Take words out of Okt's lists."""
        everywhere = list(user_words.get(REMOVE, ()))
        for pos in LISTED:
            words = {word[1:] for word in user_words.get(pos, ()) if word.startswith("-")}
            if pos in PREDICATES:
                words |= {word.removesuffix("다") for word in everywhere if word.endswith("다") and len(word) > 1}
                self._remove_predicates(pos, words)
                continue
            for word in filter(can_be_looked_up, words.union(everywhere)):
                self._mark(self._removed, word, BITS[pos] | (_NAMES if pos == "Noun" else 0))

    def _remove_predicates(self, pos: str, stems: Iterable[str]) -> None:
        """Take verbs or adjectives out: their forms become those of the other ones that have the same."""
        known = self._base.predicates()[PREDICATES.index(pos)]
        removed = {stem for stem in stems if f"{stem}다" in known}
        if not removed:
            return
        is_adjective = pos == "Adjective"
        forms = {form for stem in removed for form in conjugate(stem, is_adjective)}
        left = [word.removesuffix("다") for word in known]
        # No form begins with another consonant than its stem, and it is as long, or longer by a syllable.
        beginnings = {decompose(form[0])[0] for form in forms}
        left = [stem for stem in left if stem not in removed and decompose(stem[0])[0] in beginnings]
        others = conjugate_all(sorted(left), is_adjective)
        for form in filter(can_be_looked_up, forms):
            self._mark(self._removed, form, BITS[pos])
            self._stems[pos][form] = others.get(form)
            if form in others:
                self._mark(self._added, form, BITS[pos])

    def add(self, pos: str, words: Iterable[str]) -> None:
        """Add words to the list of a part of speech."""
        forms: Iterable[str] = words
        if pos in PREDICATES:
            forms = chosen = conjugate_all(words, pos == "Adjective", self._stem_finder(pos))
            self._stems[pos] |= chosen
        for form in filter(can_be_looked_up, forms):
            self._mark(self._added, form, BITS[pos])

    def _stem_finder(self, pos: str) -> Callable[[str], str | None]:
        """Return a function from a form to the stem that it has as a verb or an adjective."""
        changed = self._stems[pos]

        def stem_of(form: str) -> str | None:
            if form in changed:
                return changed[form]
            _, verb, adjective = self._base.lookup(form)
            return adjective if pos == "Adjective" else verb

        return stem_of

    def _mark(self, bits_of: dict[str, int], word: str, bits: int) -> None:
        bits_of[word] = bits_of.get(word, 0) | bits

    def applied(self, digest: bytes, fixed: Iterable[Sequence[tuple[str, str]]]) -> _core.Dictionary:
        """Return the changed dictionary.

        Args:
            digest: What names it.
            fixed: The morphemes of words that are split in a fixed way.
        """
        removed = {word: bits for word, bits in self._removed.items() if self._base.lookup(word)[0] & bits}
        words = sorted(self._added.keys() | removed)
        stems: dict[str, int] = {}
        entries = []
        for word in words:
            chosen = [self._stems[pos].get(word) for pos in PREDICATES]
            numbers = [-1 if stem is None else stems.setdefault(stem, len(stems)) for stem in chosen]
            entries.append((self._added.get(word, 0), removed.get(word, 0), *numbers))
        marked = dict(map(_marked, fixed))
        # As core/dictionary.h wants them: of two with the same first character, the longer one first.
        in_order = sorted(marked.items(), key=lambda pair: (ord(pair[0][0]), -len(pair[0]), pair[0]))
        return self._base.extended(words, entries, list(stems), digest, in_order)


def _marked(morphemes: Sequence[tuple[str, str]]) -> tuple[str, bytes]:
    """Return a word and the marks of its characters: the part of speech, with `_FIRST` where a morpheme begins."""
    marks = bytearray()
    for form, pos in morphemes:
        number = _core.PARTS_OF_SPEECH.index(pos)
        marks += bytes([number | _FIRST, *[number] * (len(form) - 1)])
    return "".join(form for form, _ in morphemes), bytes(marks)
