"""Small tokenizers that several test files use."""

from functools import cache

from okt_lstm import OktTokenizer

TEXTS = [
    "이 영화 정말 재밌었어요 😀 또 보고 싶다",
    "별로였다 돈이 아깝다",
    "",
    "연기도 연출도 최고였다 👍🏽 배우들이 좋았다",
    "지루하고 재미없는 영화였어요ㅋㅋㅋㅋㅋ",
    "   \t ",
    "안됔ㅋㅋㅋㅋㅋ 이것도 되나욬ㅋㅋ",
    "The best movie ever, 10점 만점에 10점!",
]


def train(**options) -> OktTokenizer:
    vocab_size = options.pop("vocab_size", 400)
    return OktTokenizer(**options).train_new_from_iterator(TEXTS, vocab_size, show_progress=False)


@cache
def trained_once(**options) -> OktTokenizer:
    """For tests that don't change the tokenizer."""
    return train(**options)
