import time
from itertools import pairwise

import pytest

from okt_lstm.training.values import read_table

LEVELS = "\n".join(f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise("abcdefghi"))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (f"a: &a [x]\n{LEVELS}\n", "more than 100,000 values"),
        ("a: &a [*a]\n", "nested too deep|more than"),
        ("a: " + "[" * 10_000, "nested too deep"),
        ("a: " + "{b: " * 10_000, "nested too deep"),
        ("a: 1\n" * 100_000, "more than 100,000 bytes"),
        ("a: [", "not valid YAML"),
        ("a: !!python/object/apply:os.system [x]", "not valid YAML"),
    ],
)
def test_what_would_fill_memory_or_time_is_one_line_at_once(tmp_path, content, says):
    path = tmp_path / "options.yaml"
    path.write_text(content)
    start = time.process_time()
    with pytest.raises(ValueError, match=says) as error:
        read_table(path)
    assert str(path) in str(error.value)
    assert time.process_time() - start < 5


def test_aliases_of_usual_size_are_read(tmp_path):
    path = tmp_path / "options.yaml"
    path.write_text("a: &a [1, 2]\nb: *a\n")
    assert read_table(path) == {"a": [1, 2], "b": [1, 2]}
