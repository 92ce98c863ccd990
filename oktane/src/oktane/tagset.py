"""The parts of speech that Okt tags morphemes with."""

from collections.abc import Iterable

from ._core import PARTS_OF_SPEECH

TAGSET = {
    "Adjective": "형용사",
    "Adverb": "부사",
    "Alpha": "알파벳",
    "Conjunction": "접속사",
    "Determiner": "관형사",
    "Eomi": "어미",
    "Exclamation": "감탄사",
    "Foreign": "외국어, 한자와 기타 기호",
    "Hashtag": "해시태그",
    "Josa": "조사",
    "KoreanParticle": "ㅋㅋ 같은 자모",
    "Modifier": "수식어",
    "Noun": "명사",
    "Number": "숫자",
    "PreEomi": "선어말 어미",
    "Punctuation": "구두점",
    "ScreenName": "아이디",
    "Suffix": "접미사",
    "Unknown": "알 수 없음",
    "Verb": "동사",
    "VerbPrefix": "동사 접두사",
    "Email": "이메일",
    "URL": "주소",
    "CashTag": "캐시태그",
}
"""Their names and what these mean in Korean; the keys are those of konlpy, and a few that it leaves out."""


def mask_of(pos: Iterable[str] | None) -> int:
    """Return parts of speech as the bit mask that the core takes."""
    if pos is None:
        return 0xFFFFFFFF
    mask = 0
    for name in [pos] if isinstance(pos, str) else pos:
        if name not in PARTS_OF_SPEECH:
            raise ValueError(f"{name!r} is no part of speech; choose from: {', '.join(TAGSET)}")
        mask |= 1 << PARTS_OF_SPEECH.index(name)
    return mask
