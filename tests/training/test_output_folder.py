import json
from types import SimpleNamespace

import pytest
from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from okt_lstm.data.options import DATA_ARGUMENTS_NAME
from okt_lstm.reports.trained_model import CARD_NAME
from okt_lstm.training import output_folder
from okt_lstm.training.output_folder import earlier_run, find_checkpoint, newest_checkpoint, refuse_overwrite, start_run
from okt_lstm.training.provenance import PRETRAINING_NAME
from okt_lstm.training.run_recipe import STAGES_NAME


def checkpoint(folder, step, state="{}"):
    """Make a complete checkpoint as far as its names go, or one with a damaged or no state."""
    path = folder / f"{PREFIX_CHECKPOINT_DIR}-{step}"
    path.mkdir(parents=True)
    (path / "config.json").write_text("{}")
    (path / "model.safetensors").write_text("")
    if state is not None:
        (path / TRAINER_STATE_NAME).write_text(state)
    return path


def resume(value):
    return SimpleNamespace(resume_from_checkpoint=value)


def test_the_names_that_are_written_out_are_those_of_the_modules_that_write_the_files():
    assert output_folder.TRAINER_STATE_NAME == TRAINER_STATE_NAME
    assert {CARD_NAME, PRETRAINING_NAME, DATA_ARGUMENTS_NAME, STAGES_NAME} < set(output_folder.RUN_MARKS)


def test_files_and_checkpoints_of_an_earlier_run_are_found_and_others_are_not(tmp_path):
    for name in ("notes.txt", CARD_NAME, PRETRAINING_NAME, "tokenizer.json"):
        (tmp_path / name).write_text("")
    checkpoint(tmp_path, 10)
    found = {path.name for path in earlier_run(tmp_path)}
    assert found == {f"{PREFIX_CHECKPOINT_DIR}-10", CARD_NAME, PRETRAINING_NAME, "tokenizer.json"}


@pytest.mark.parametrize("state", [None, "", '{"global_step": 1', "[]"])
def test_the_newest_complete_checkpoint_is_resumed(tmp_path, state):
    checkpoint(tmp_path, 9)
    complete = checkpoint(tmp_path, 10)
    checkpoint(tmp_path, 11, state)
    assert newest_checkpoint(tmp_path) == complete
    assert find_checkpoint(tmp_path, resume(True)) == str(complete)
    with pytest.raises(FileNotFoundError, match="not complete"):
        find_checkpoint(tmp_path, resume(str(tmp_path / "checkpoint-11")))


def test_incomplete_checkpoints_alone_are_nothing_to_lose(tmp_path):
    checkpoint(tmp_path, 4, None)
    refuse_overwrite(tmp_path, overwrite=False)
    start_run(tmp_path, resumed=False)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_complete_checkpoint_is_not_said_to_be_resumable(tmp_path):
    checkpoint(tmp_path, 4, None)
    (tmp_path / "card.json").write_text("{}")
    with pytest.raises(FileExistsError) as error:
        refuse_overwrite(tmp_path, overwrite=False)
    assert "--resume_from_checkpoint" not in str(error.value)
    assert "--overwrite_output_dir" in str(error.value)
    refuse_overwrite(tmp_path, overwrite=True)


def test_a_new_run_begins_without_anything_of_the_earlier_one_and_with_all_that_is_the_users(tmp_path):
    checkpoint(tmp_path, 4)
    for name in ("card.json", "user_dictionary.txt", "modeling_lstm.py", "notes.txt", "credentials.json"):
        (tmp_path / name).write_text(name)
    start_run(tmp_path, resumed=False)
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", "credentials.json"}


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["README.md", "tokenizer.json", "user_dictionary.txt"])
def test_a_file_that_no_run_wrote_is_neither_overwritten_nor_deleted(tmp_path, name, overwrite):
    (tmp_path / name).write_text("mine")
    with pytest.raises(FileExistsError, match=f"{name} is not from a run"):
        refuse_overwrite(tmp_path, overwrite=overwrite)
    start_run(tmp_path, resumed=False)
    assert (tmp_path / name).read_text() == "mine"


def test_a_run_removes_what_a_killed_one_left_half_written(tmp_path):
    checkpoint(tmp_path, 4)
    for name in (".files.999999999-0a1b2c3d.tmp", "_saving"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.safetensors").write_text("half")
    (tmp_path / ".README.md.999999999-0a1b2c3d.tmp").write_text("half")
    (tmp_path / ".gitignore").write_text("*")
    start_run(tmp_path, resumed=True)
    assert {path.name for path in tmp_path.iterdir()} == {"checkpoint-4", ".gitignore"}


def test_what_an_interrupted_deletion_leaves_is_not_resumed_and_is_deleted_by_the_next(tmp_path, monkeypatch):
    checkpoint(tmp_path, 4)
    (tmp_path / "card.json").write_text(json.dumps({}))

    def fail(path, ignore_errors=False):
        if not ignore_errors:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("okt_lstm.training.output_folder.shutil.rmtree", fail)
        with pytest.raises(KeyboardInterrupt):
            start_run(tmp_path, resumed=False)
    assert newest_checkpoint(tmp_path) is None
    start_run(tmp_path, resumed=False)
    assert list(tmp_path.iterdir()) == []
