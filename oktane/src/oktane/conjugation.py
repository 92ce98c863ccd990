"""Expand the stems of verbs and adjectives to the forms that Okt finds in a text.

The rules are those of Open Korean Text 2.1.0's KoreanConjugation.scala (Apache-2.0), case by case in its order. A form
is the stem with its last syllable changed, or with one more syllable: 사랑하 gives 사랑합, 사랑해, 사랑하는, ...
"""

from collections.abc import Callable, Iterable

ONSETS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
CODAS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"

CODAS_COMMON = "ㅂㅆㄹㄴㅁ"
CODAS_FOR_CONTRACTION = "ㅆㄹㅁ"
CODAS_NO_PAST = "ㅂㄹㄴㅁ"

# Syllables that begin an ending, grouped by what they can follow.
PRE_EOMI_COMMON = "게겠고구기긴길네다더던도든면자잖재져죠지진질"
PRE_EOMI_1_1 = "야서써도준"
PRE_EOMI_1_2 = "어었"
PRE_EOMI_1_3 = "아았"
PRE_EOMI_1_4 = "워웠"
PRE_EOMI_1_5 = "여였"
PRE_EOMI_2 = "노느니냐"
PRE_EOMI_3 = "러려며"
PRE_EOMI_4 = "으"
PRE_EOMI_5 = "은"
PRE_EOMI_6 = "는"
PRE_EOMI_7 = "운"
PRE_EOMI_RESPECT = "세시실신셔습셨십"
PRE_EOMI_VOWEL = PRE_EOMI_COMMON + PRE_EOMI_2 + PRE_EOMI_3 + PRE_EOMI_RESPECT

# Likelier forms of an adjective or a noun than of a verb.
NO_VERB_FORMS = frozenset(("아니", "입", "입니", "나는"))

_FIRST_SYLLABLE = 0xAC00


def decompose(syllable: str) -> tuple[str, str, str]:
    """Return the onset, vowel and coda (" " for none) of a Hangul syllable."""
    onset, rest = divmod(ord(syllable) - _FIRST_SYLLABLE, 21 * 28)
    vowel, coda = divmod(rest, 28)
    return ONSETS[onset], VOWELS[vowel], CODAS[coda]


def compose(onset: str, vowel: str, coda: str = " ") -> str:
    """Return the Hangul syllable of an onset, a vowel and a coda (" " for none)."""
    return chr(_FIRST_SYLLABLE + (ONSETS.index(onset) * 21 + VOWELS.index(vowel)) * 28 + CODAS.index(coda))


def _with_codas(onset: str, vowel: str, codas: str) -> list[str]:
    return [compose(onset, vowel, coda) for coda in codas]


def _followed_by(syllable: str, endings: str) -> list[str]:
    return [syllable + ending for ending in endings]


def _forms_of_eu(onset: str) -> list[str]:
    """Return the forms of a last syllable with the vowel ㅡ and no coda: for 크, 큽, 클, ..., 커, 컸, ...

    The syllable itself and its forms with endings are not among them.
    """
    return [
        *_with_codas(onset, "ㅡ", CODAS_NO_PAST),
        *(compose(onset, vowel, coda) for coda in " ㅆ" for vowel in "ㅝㅓㅏ"),
    ]


def _forms_of_last(last: str, is_adjective: bool, is_single: bool) -> list[str]:
    """Return the forms of the last syllable of a stem.

    Args:
        last: The syllable.
        is_adjective: True for an adjective, False for a verb.
        is_single: Whether it is the stem's only syllable.
    """
    match decompose(last):
        # Without a coda.
        case "ㅎ", "ㅏ", " ":  # 하다
            return [
                *_followed_by(last, PRE_EOMI_VOWEL + PRE_EOMI_1_5 + PRE_EOMI_6),
                *_with_codas("ㅎ", "ㅏ", CODAS_NO_PAST),
                compose("ㅎ", "ㅐ", "ㅆ"),
                *_followed_by("해", PRE_EOMI_1_1),
                *(("합", "해", "히", "하") if is_adjective else ("합", "해")),
            ]
        case onset, "ㅗ", " ":  # 쏘다
            return [
                *_followed_by(last, PRE_EOMI_VOWEL + PRE_EOMI_1_3 + PRE_EOMI_6),
                *_with_codas(onset, "ㅗ", CODAS_NO_PAST),
                *_with_codas(onset, "ㅘ", " ㅆ"),
                last,
            ]
        case onset, "ㅜ", " ":  # 맞추다, 겨누다, 재우다
            return [
                *_followed_by(last, PRE_EOMI_VOWEL + PRE_EOMI_1_2 + PRE_EOMI_6),
                *_with_codas(onset, "ㅜ", CODAS_NO_PAST),
                *_with_codas(onset, "ㅝ", " ㅆ"),
                last,
            ]
        case onset, "ㅡ", " ":  # 치르다, 뜨다, 모으다
            return [*_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6), *_forms_of_eu(onset), last]
        case "ㄱ", "ㅟ", " ":  # 사귀다
            return [
                *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6),
                *_with_codas("ㄱ", "ㅟ", CODAS_NO_PAST),
                *_with_codas("ㄱ", "ㅕ", " ㅆ"),
                last,
            ]
        case onset, "ㅟ", " ":  # 쥐다
            return [*_with_codas(onset, "ㅟ", CODAS_NO_PAST), *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6), last]
        case onset, "ㅣ", " ":  # 마시다, 치다, 아니다
            return [
                *_with_codas(onset, "ㅣ", CODAS_NO_PAST),
                *_followed_by(last, PRE_EOMI_1_2 + PRE_EOMI_2 + PRE_EOMI_6),
                compose(onset, "ㅣ", "ㅂ") + "니",
                *_with_codas(onset, "ㅕ", " ㅆ"),
                last,
            ]
        case onset, ("ㅞ" | "ㅚ" | "ㅙ") as vowel, " ":  # 꿰다, 꾀다
            return [*_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6), *_with_codas(onset, vowel, CODAS_COMMON), last]
        case onset, vowel, " ":  # 켜다, 세다, 캐다, 차다
            return [
                *_with_codas(onset, vowel, CODAS_COMMON),
                *_followed_by(last, PRE_EOMI_VOWEL + PRE_EOMI_1_1 + PRE_EOMI_6),
                last,
            ]
        # With a coda.
        case onset, vowel, "ㄹ" if (onset, vowel) == ("ㅁ", "ㅓ") or vowel in "ㅡㅏㅜ":  # 만들다, 알다, 풀다
            return [
                *_followed_by(last, PRE_EOMI_1_2 + PRE_EOMI_3),
                *_followed_by(compose(onset, vowel), PRE_EOMI_2 + PRE_EOMI_6 + PRE_EOMI_RESPECT),
                *_with_codas(onset, vowel, "ㄻㄴ"),
                last,
            ]
        case onset, "ㅏ", "ㅅ":  # 낫다, 빼앗다
            return [
                *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6),
                *_followed_by(compose(onset, "ㅏ"), PRE_EOMI_4 + PRE_EOMI_5),
                last,
            ]
        case "ㅁ", "ㅜ", "ㄷ":  # 묻다
            return [*_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6), compose("ㅁ", "ㅜ", "ㄹ"), last]
        case onset, "ㅜ", "ㄷ":  # 붇다
            return [
                *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6),
                *_followed_by(compose(onset, "ㅜ"), PRE_EOMI_1_2 + PRE_EOMI_1_4 + PRE_EOMI_4 + PRE_EOMI_5),
                compose(onset, "ㅜ", "ㄹ"),
                last,
            ]
        case onset, "ㅜ", "ㅂ":  # 눕다
            return [
                *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6),
                *_followed_by(compose(onset, "ㅜ"), PRE_EOMI_1_4 + PRE_EOMI_4 + PRE_EOMI_5),
                last,
            ]
        case onset, "ㅓ", "ㅂ" if is_adjective:  # 갑작스럽다 gives 갑작스런
            return [
                *_followed_by(compose(onset, "ㅓ"), PRE_EOMI_1_4 + PRE_EOMI_7),
                *_with_codas(onset, "ㅓ", " ㄴ"),
                last,
            ]
        case onset, vowel, "ㅂ" if is_adjective:  # 아름답다, 가볍다
            return [*_followed_by(compose(onset, vowel), PRE_EOMI_1_4 + PRE_EOMI_7), compose(onset, vowel), last]
        case onset, "ㅗ", "ㅎ":  # 놓다
            return [
                *_followed_by(last, PRE_EOMI_2 + PRE_EOMI_6),
                *_with_codas(onset, "ㅗ", CODAS_COMMON),
                compose(onset, "ㅘ"),
                compose(onset, "ㅗ"),
                last,
            ]
        case onset, vowel, "ㅎ" if is_adjective:  # 파랗다, 어떻다
            return [
                *_with_codas(onset, vowel, CODAS_COMMON),
                *_with_codas(onset, "ㅐ", CODAS_FOR_CONTRACTION),
                compose(onset, "ㅐ"),
                compose(onset, vowel),
                last,
            ]
        case _, _, coda if is_single or (is_adjective and coda == "ㅆ"):  # 있다, 밝다, 컸다
            endings = PRE_EOMI_1_2 + PRE_EOMI_1_3 + PRE_EOMI_2 + PRE_EOMI_4 + PRE_EOMI_5 + PRE_EOMI_6
            return [*_followed_by(last, PRE_EOMI_COMMON + endings), last]
        case _:  # 부여잡다, 얻어맞다
            return [last]


def _forms_of_reu(stem: str) -> list[str]:
    """Return the forms with a doubled ㄹ of a stem that ends in 르 after an open syllable: 고르다 as 골르다."""
    if len(stem) < 2 or stem[-1] != "르" or decompose(stem[-2])[2] != " ":
        return []
    onset, vowel, _ = decompose(stem[-2])
    changed = stem[:-2] + compose(onset, vowel, "ㄹ")
    forms = [*_followed_by("르", PRE_EOMI_2 + PRE_EOMI_6), *_forms_of_eu("ㄹ"), "르"]
    return [changed + form for form in forms]


def conjugate(stem: str, is_adjective: bool) -> list[str]:
    """Return every form of the stem of a verb or adjective.

    Args:
        stem: The dictionary form without 다, Hangul syllables only: 사랑하, 예쁘.
        is_adjective: True for an adjective, False for a verb.

    Returns:
        The forms. Their order does not matter, and some may come twice.
    """
    init = stem[:-1]
    forms = [init + form for form in _forms_of_last(stem[-1], is_adjective, is_single=not init)]
    forms += _forms_of_reu(stem)
    return forms if is_adjective else [form for form in forms if form not in NO_VERB_FORMS]


def conjugate_all(
    stems: Iterable[str], is_adjective: bool, known_stem: Callable[[str], str | None] = lambda form: None
) -> dict[str, str]:
    """Map every form of every stem to its dictionary form, 다 included.

    Several stems may have the same form. Okt takes the stem that is last in the order of a Scala hash set, in which
    KoreanDictionaryProvider.scala collects the pairs of form and stem.

    Args:
        stems: Stems without 다.
        is_adjective: True if they are adjectives, False if they are verbs.
        known_stem: Returns the dictionary form that a form has from other stems, or None. Forms that keep it are left
            out of the result.

    Returns:
        Form to dictionary form: {"사랑해": "사랑하다", ...}.
    """
    chosen: dict[str, str] = {}
    for stem in stems:
        word = stem + "다"
        for form in conjugate(stem, is_adjective):
            other = chosen.get(form) or known_stem(form)
            if other is None or (other != word and _place_in_hash_set(form, word) > _place_in_hash_set(form, other)):
                chosen[form] = word
    return chosen


def _place_in_hash_set(form: str, word: str) -> tuple[int, ...]:
    """Return a pair's place in the order of Scala 2.12's HashSet: its hash in groups of five bits, lowest first."""
    h = _scramble(_pair_hash(form, word))
    return tuple(h >> shift & 31 for shift in range(0, 32, 5))


_MASK = 0xFFFFFFFF


def _rotate(x: int, bits: int) -> int:
    return (x << bits | x >> (32 - bits)) & _MASK


def _string_hash(text: str) -> int:
    """Return java.lang.String.hashCode of a text without characters beyond the Basic Multilingual Plane."""
    h = 0
    for c in text:
        h = (31 * h + ord(c)) & _MASK
    return h


def _pair_hash(*items: str) -> int:
    """Return scala.util.hashing.MurmurHash3.productHash of a tuple of strings."""
    h = 0xCAFEBABE
    for item in items:
        k = _rotate(_string_hash(item) * 0xCC9E2D51 & _MASK, 15) * 0x1B873593 & _MASK
        h = (_rotate(h ^ k, 13) * 5 + 0xE6546B64) & _MASK
    h ^= len(items)
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK
    return h ^ h >> 16


def _scramble(h: int) -> int:
    """Return what scala.collection.immutable.HashSet.improve makes of a hash."""
    h = (h + ~(h << 9)) & _MASK
    h ^= h >> 14
    h = (h + (h << 4)) & _MASK
    return h ^ h >> 10
