import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.image import imread

from okt_lstm.reports import plots as report
from okt_lstm.reports.error_analysis import calibrate
from okt_lstm.reports.plots import plot_confusion_matrix, plot_curves, plot_reliability

HISTORY = [
    {"loss": 0.69, "epoch": 0.5},
    {"loss": 0.60, "epoch": 1.0},
    {"eval_loss": 0.62, "eval_accuracy": 0.7, "epoch": 1.0},
    {"loss": 0.50, "epoch": 1.5},
    {"eval_loss": 0.55, "eval_accuracy": 0.8, "epoch": 2.0},
]


def pixels(path):
    return imread(path, format="png")


def test_curves_are_a_picture_and_leave_no_other_file(tmp_path):
    plot_curves(HISTORY, tmp_path / "curves.png", "accuracy")
    assert [path.name for path in tmp_path.iterdir()] == ["curves.png"]
    assert pixels(tmp_path / "curves.png").std() > 0


def test_curves_follow_the_history(tmp_path):
    plot_curves(HISTORY, tmp_path / "a.png", "accuracy")
    plot_curves([*HISTORY, {"eval_loss": 0.1, "eval_accuracy": 0.9, "epoch": 3.0}], tmp_path / "b.png", "accuracy")
    assert not np.array_equal(pixels(tmp_path / "a.png"), pixels(tmp_path / "b.png"))


def test_curves_of_a_run_that_logged_nothing_are_empty_axes(tmp_path, recwarn):
    plot_curves([], tmp_path / "curves.png", "accuracy")
    assert (tmp_path / "curves.png").exists()


@pytest.mark.parametrize("classes", [1, 2, 12, 60])
def test_confusion_matrix_takes_any_number_of_classes(tmp_path, classes, recwarn):
    ids = np.arange(200) % classes
    plot_confusion_matrix(ids, np.roll(ids, 1), [f"class {number}" for number in range(classes)], tmp_path / "m.png")
    assert pixels(tmp_path / "m.png").std() > 0
    assert not recwarn.list


def test_confusion_matrix_has_a_place_for_a_class_that_never_occurs(tmp_path):
    plot_confusion_matrix(np.array([0, 1]), np.array([0, 1]), ["a", "b", "c"], tmp_path / "m.png")
    assert (tmp_path / "m.png").exists()


@pytest.mark.parametrize("positive", [np.linspace(0, 1, 200), np.ones(1), np.full(3, 0.4)])
def test_the_reliability_of_any_spread_of_confidences_can_be_drawn(tmp_path, positive, recwarn):
    probabilities = np.stack([1 - positive, positive], axis=1)
    plot_reliability(calibrate(probabilities, np.arange(len(positive)) % 2), tmp_path / "reliability.png")
    assert [path.name for path in tmp_path.iterdir()] == ["reliability.png"]
    assert pixels(tmp_path / "reliability.png").std() > 0
    assert not recwarn.list


def test_labels_that_no_font_shows_become_numbers_and_no_glyph_is_missing(tmp_path, monkeypatch, recwarn):
    latin = [font for font in font_manager.fontManager.ttflist if font.name == "DejaVu Sans"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", latin)
    ids = np.array([0, 1, 1])
    plot_confusion_matrix(ids, ids, ["부정", "긍정"], tmp_path / "korean.png")
    assert not [warning for warning in recwarn.list if "Glyph" in str(warning.message)]
    assert report._font_families("부정") is None
    assert report._font_families("negative") == ["DejaVu Sans"]


def test_a_font_that_was_uninstalled_is_passed_over(monkeypatch):
    gone = font_manager.FontEntry(fname="/nowhere/gone.ttf", name="Gone")
    monkeypatch.setattr(font_manager.fontManager, "ttflist", [gone])
    assert report._font_families("긍정") is None
