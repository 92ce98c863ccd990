import ast

import pytest

from okt_lstm.reports.quoting import code_span, plain, python_literal

HOSTILE = [
    'a"); import os; os.system("x',
    "a\\",
    "a\nb\r\n```\n# Title",
    "\x1b[2J\x07\x9b31m",
    "\u202eevil\u202c\u2066",
    "a\u2028b\u2029c\x85d",
    "\udc80",
    "``` `x` ``",
    "<script>|[a](b)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_python_literal_is_one_visible_line_that_says_the_text(text):
    literal = python_literal(text)
    assert literal.isprintable()
    assert ast.literal_eval(literal) == text
    assert ast.literal_eval(python_literal([text, "굿"])) == [text, "굿"]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_code_span_is_visible_and_does_not_end_early(text):
    span = code_span(text)
    assert span.isprintable()
    fence = span[: len(span) - len(span.lstrip("`"))]
    inside = span.removeprefix(fence).removesuffix(fence)
    assert fence not in inside


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_text_makes_no_markup(text):
    escaped = plain(text)
    assert escaped.isprintable()
    assert "<" not in escaped.replace("\\<", "")
    assert "[" not in escaped.replace("\\[", "")


def test_usual_names_are_written_as_they_are():
    assert python_literal("somebody/films 영화 😀") == '"somebody/films 영화 😀"'
    assert code_span("긍정") == "`긍정`"
    assert plain("ratings_train.txt (영화)") == "ratings_train.txt (영화)"
