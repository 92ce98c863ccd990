from transformers.trainer import TRAINER_STATE_NAME
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR

from okt_lstm.reports.trained_model import CARD_NAME
from okt_lstm.training import output_folder
from okt_lstm.training.provenance import PRETRAINING_NAME


def test_the_names_that_are_written_out_are_those_of_the_modules_that_write_the_files():
    assert output_folder.TRAINER_STATE_NAME == TRAINER_STATE_NAME
    assert {CARD_NAME, PRETRAINING_NAME} < set(output_folder.OUTPUT_FILES)


def test_files_and_checkpoints_of_an_earlier_run_are_found_and_others_are_not(tmp_path):
    for name in ("notes.txt", CARD_NAME, PRETRAINING_NAME):
        (tmp_path / name).write_text("")
    (tmp_path / f"{PREFIX_CHECKPOINT_DIR}-10").mkdir()
    found = {path.name for path in output_folder.earlier_run(tmp_path)}
    assert found == {f"{PREFIX_CHECKPOINT_DIR}-10", CARD_NAME, PRETRAINING_NAME}
