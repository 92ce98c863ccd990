"""The comparison of engines finds what differs, and says which labels may differ."""

import sys
from pathlib import Path

import numpy as np
import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "benchmarks"


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(SCRIPTS)
        import engine_parity

        yield engine_parity


def compared(script, found, expected, problem_type="single_label_classification"):
    result = script.Comparison()
    texts = [f"text {row}" for row in range(len(found))]
    result.add("a model", texts, np.float32(found), np.float32(expected), problem_type, 1e-4)
    return result


def test_equal_logits_pass(script):
    assert compared(script, [[1, 2]], [[1, 2.00001]]).passed(1e-4)


@pytest.mark.parametrize("wrong", [2.001, float("nan")])
def test_a_logit_out_of_tolerance_fails(script, wrong):
    result = compared(script, [[1, 2], [1, wrong]], [[1, 2], [1, 2]])
    assert result.beyond == 1
    assert not result.passed(1e-4)


def test_another_label_passes_only_where_torch_is_undecided(script):
    tie = compared(script, [[1.00001, 1]], [[1, 1.00001]])
    assert [text for _, text, _ in tie.differing] == ["text 0"]
    assert tie.passed(1e-4)
    clear = compared(script, [[1, 2], [3, 2]], [[1, 2], [1, 2]])
    assert [text for _, text, _ in clear.differing] == ["text 1"]
    assert not clear.passed(1e-4)


def test_each_label_of_several_has_a_margin_of_its_own(script):
    result = compared(script, [[0.00001, 5, -5]], [[-0.00001, 5, -5]], "multi_label_classification")
    assert [margin for *_, margin in result.differing] == [pytest.approx(1e-5)]


def test_variants_are_all_options_in_all_types_of_weights(script):
    found = list(script.variants())
    networks = {(variant.group, str(variant.options)) for variant in found}
    assert len(networks) == 4 * 3 * 3 * 5 * 3 + 4 * 3
    assert len(found) == 3 * len(networks)
    problems = {(variant.group, str(variant.problem), variant.dtype) for variant in found}
    assert len(problems) == 5 * 5 * 3


def test_a_run_over_a_file_passes(script, monkeypatch, tmp_path, capsys):
    (tmp_path / "texts.txt").write_text("연기도 연출도 최고였다\n시간이 아깝다\n", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["engine_parity.py", str(tmp_path / "texts.txt")])
    monkeypatch.setenv("OKTANE_CPU", "")
    assert script.main() == 0
    assert "| the model |" in capsys.readouterr().out
