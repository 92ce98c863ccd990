"""Ids in one flat array are those of a call."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from okt_tokenizers import TEXTS, train, trained_once

OPTIONS = [{}, {"stem": True, "truncation_side": "left"}, {"subword": "bpe", "word_mark": "▁"}]


def rows_of(encoded):
    ids, row_splits = encoded
    assert ids.dtype == row_splits.dtype == np.int64
    return [ids[start:end].tolist() for start, end in pairwise(row_splits)]


@pytest.mark.parametrize("options", OPTIONS)
@settings(max_examples=50, deadline=None)
@given(
    texts=st.lists(st.text(st.sampled_from("영화가 재밌다😀<pad>\t"), max_size=30), max_size=5),
    max_length=st.sampled_from([None, 1, 4, 100]),
)
def test_ragged_ids_are_those_of_a_call(options, texts, max_length):
    tokenizer = trained_once(**options)
    call = {} if max_length is None else {"truncation": True, "max_length": max_length}
    assert rows_of(tokenizer.encode_ragged(texts, max_length)) == tokenizer(texts, **call).input_ids


def test_special_tokens_are_added_as_in_a_call():
    tokenizer = train(bos_token="<s>", add_bos_token=True)
    expected = tokenizer(TEXTS, truncation=True, max_length=3).input_ids
    assert rows_of(tokenizer.encode_ragged(TEXTS, 3)) == expected
    assert all(row[0] == tokenizer.bos_token_id for row in expected)
