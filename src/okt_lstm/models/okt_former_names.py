"""The names that options of OktTokenizer had in version 0.1.0, in Python and in tokenizer_config.json."""

from collections.abc import Mapping
from typing import Any

from .okt_user_dictionary import fixed_words, read_user_dictionary


def with_present_names(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options under their present names.

    `model="word"|"bpe"` is now `subword="none"|"bpe"`, and `analyser` is `analyzer`. 0.1.0 hashed user dictionaries in
    another way, so the `dictionary_hash` of a tokenizer that has one is dropped; so are the words that it did not look
    up, those with other characters than Hangul.
    """
    renamed = dict(options)
    if "model" in renamed:
        model = renamed.pop("model")
        renamed["subword"] = "none" if model == "word" else model
    if "analyser" in renamed:
        renamed["analyzer"] = renamed.pop("analyser")
        if renamed.get("user_dictionary"):
            renamed["dictionary_hash"] = None
            words = read_user_dictionary(renamed["user_dictionary"])
            unknown = set(fixed_words(words))
            renamed["user_dictionary"] = {
                pos: [word for word in listed if word not in unknown] for pos, listed in words.items()
            }
    return renamed
