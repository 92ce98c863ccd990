import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file

import okt_lstm
from okt_lstm.cli import main
from okt_lstm.training.commands import TRAIN
from okt_lstm.training.parsing import parse
from okt_lstm.training.recipe import read_recipe
from okt_lstm.training.run_recipe import RECIPE_NAME, STAGES_NAME, run_recipe

RECORDED = Path(__file__).parents[1] / "recorded" / "0.1.0"


def write(folder, *stages):
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"version": 1, "stages": list(stages)}, sort_keys=False))
    return str(path)


def stage(name, command="train", **fields):
    return {"name": name, "command": command, **fields}


class Commands:
    """Notes commands instead of running them: by the name of the result's folder, the command and its options."""

    def __init__(self):
        self.runs = {}
        self.fail_at = None
        self.saves_whole_checkpoints = True

    def __call__(self, command, options):
        path = Path(options.get("output") or options["output_dir"])
        folder = path.parent if command == "word-vectors" else path
        self.runs[folder.name] = (command, options)
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == self.fail_at:
            (folder / "checkpoint-5").mkdir()
            names = ["config.json", "model.safetensors"] + ["trainer_state.json"] * self.saves_whole_checkpoints
            for name in names:
                (folder / "checkpoint-5" / name).write_text("{}")
            raise KeyboardInterrupt("stopped")
        (path if command == "word-vectors" else path / "model.safetensors").write_text("")
        return "the result"

    def names(self):
        """What was run since the last call."""
        names = list(self.runs)
        self.runs = {}
        return names

    def options(self, name):
        return self.runs[name][1]


@pytest.fixture
def commands():
    return Commands()


@pytest.fixture
def run(commands):
    return lambda recipe, given, stages_dir=None: run_recipe(recipe, given, stages_dir, commands)


def chain(folder, lm=(), teacher=(), model=()):
    return read_recipe(
        write(
            folder,
            stage("vectors", "word-vectors", options={"vector_size": 8}),
            stage("lm", "pretrain", options={"hidden_size": 8, **dict(lm)}),
            stage("teacher", seeds=[1, 2], options={"pretrained": "$lm", **dict(teacher)}),
            stage("model", options={"teacher": "$teacher", "embeddings": "$vectors", **dict(model)}),
        )
    )


ALL = ["vectors", "lm", "teacher-1", "teacher-2", "out"]


def given(folder, **options):
    return {"output_dir": str(folder / "out"), "unlabeled": "t.txt"} | options


def test_results_stand_for_the_names_of_stages(run, commands, tmp_path):
    assert run(chain(tmp_path), given(tmp_path)) == "the result"
    stages = tmp_path / "out" / "stages"
    vectors = str(stages / "vectors" / "vectors.safetensors")
    teachers = [str(stages / "teacher-1"), str(stages / "teacher-2")]
    text, new = {"unlabeled": "t.txt"}, {"overwrite_output_dir": True}
    taught = new | {"do_predict": False, "pretrained": str(stages / "lm")}
    assert list(commands.runs.values()) == [
        ("word-vectors", text | {"vector_size": 8, "output": vectors}),
        ("pretrain", text | new | {"hidden_size": 8, "output_dir": str(stages / "lm")}),
        ("train", taught | {"seed": 1, "output_dir": teachers[0]}),
        ("train", taught | {"seed": 2, "output_dir": teachers[1]}),
        ("train", given(tmp_path) | {"teacher": teachers, "embeddings": vectors}),
    ]


def test_a_list_may_name_stages_and_models(run, commands, tmp_path):
    recipe = read_recipe(
        write(tmp_path, stage("a", seeds=[1, 2]), stage("b"), stage("m", options={"teacher": ["$a", "x/y", "$b"]}))
    )
    run(recipe, given(tmp_path))
    stages = tmp_path / "out" / "stages"
    assert commands.options("out")["teacher"] == [str(stages / "a-1"), str(stages / "a-2"), "x/y", str(stages / "b")]


def test_the_users_options_win_in_the_last_stage_and_those_of_data_hold_everywhere(run, commands, tmp_path):
    data = {"data_dir": "d", "max_train_samples": 9, "max_eval_samples": 5}
    recipe = chain(tmp_path, teacher={"learning_rate": 0.1}, model={"learning_rate": 0.1, "seed": 1})
    run(recipe, given(tmp_path, seed=7, learning_rate=0.5, use_cpu=True, **data))
    assert (data | {"learning_rate": 0.5, "seed": 7, "use_cpu": True}).items() <= commands.options("out").items()
    teacher = commands.options("teacher-1")
    assert (data | {"learning_rate": 0.1, "seed": 1, "use_cpu": True}).items() <= teacher.items()
    assert "unlabeled" not in teacher
    lm = commands.options("lm")
    assert (lm["unlabeled"], lm["use_cpu"]) == ("t.txt", True)
    assert not {"learning_rate", "max_eval_samples", "data_dir"} & lm.keys()  # pretraining means others by them
    assert set(commands.options("vectors")) == {"vector_size", "unlabeled", "output"}


def test_unlabeled_text_that_no_stage_reads_is_said_and_left_out(run, commands, tmp_path, caplog):
    run(read_recipe("classic"), given(tmp_path))
    assert "--unlabeled isn't read" in caplog.text
    assert commands.options("out") == {"output_dir": str(tmp_path / "out")}


def test_a_folder_for_stages_needs_a_recipe(capsys, tmp_path):
    assert main(["train", "--output_dir", str(tmp_path / "out"), "--stages_dir", str(tmp_path / "stages")]) == 1
    assert "--stages_dir goes with --recipe" in capsys.readouterr().err


def test_a_teacher_given_by_the_user_gets_the_text(run, commands, tmp_path, caplog):
    run(read_recipe("classic"), given(tmp_path, teacher=["large"]))
    assert commands.options("out")["unlabeled"] == "t.txt"
    assert not caplog.text


def test_recipe_and_times_are_left(run, tmp_path):
    recipe = chain(tmp_path)
    run(recipe, given(tmp_path))
    assert (tmp_path / "out" / RECIPE_NAME).read_text() == recipe.text
    times = json.loads((tmp_path / "out" / STAGES_NAME).read_text())
    assert (times["recipe"], times["version"]) == ("mine", 1)
    assert list(times["seconds"]) == ["vectors", "lm", "teacher-1", "teacher-2", "model"]
    assert all(seconds >= 0 for seconds in times["seconds"].values())


def test_finished_stages_are_shared_and_not_run_again(run, commands, tmp_path):
    recipe = chain(tmp_path)
    stages = str(tmp_path / "stages")
    run(recipe, given(tmp_path), stages)
    assert commands.names() == ALL
    run(recipe, given(tmp_path, output_dir=str(tmp_path / "two"), seed=2), stages)
    assert commands.names() == ["two"]
    times = [json.loads((tmp_path / name / STAGES_NAME).read_text())["seconds"] for name in ("out", "two")]
    assert times[0]["lm"] == times[1]["lm"]


def test_stages_that_0_1_0_finished_are_not_run_again(run, commands, tmp_path, monkeypatch):
    shutil.copytree(RECORDED / "recipe_run" / "stages", tmp_path / "recipe_run" / "stages")
    monkeypatch.chdir(tmp_path)
    options = {"output_dir": "recipe_run", "dataset": "reviews.tsv", "unlabeled": "unlabelled.txt"}
    run(read_recipe(str(RECORDED / "recipe.yaml")), options)
    assert commands.names() == ["recipe_run"]


@pytest.mark.parametrize(
    ("changed", "run_again"),
    [
        ({"lm": {"hidden_size": 16}}, ["lm", "teacher-1", "teacher-2", "out"]),
        ({"teacher": {"learning_rate": 0.1}}, ["teacher-1", "teacher-2", "out"]),
        ({"model": {"learning_rate": 0.1}}, ["out"]),
    ],
)
def test_other_options_run_a_stage_again_and_those_that_build_on_it(run, commands, tmp_path, changed, run_again):
    run(chain(tmp_path), given(tmp_path))
    commands.names()
    again = given(tmp_path, overwrite_output_dir=True)
    run(chain(tmp_path, **changed), again)
    assert commands.names() == run_again
    run(chain(tmp_path, **changed), again)
    assert commands.names() == ["out"]


def test_other_data_run_the_stages_again_that_read_them(run, commands, tmp_path):
    run(chain(tmp_path), given(tmp_path))
    commands.names()
    run(chain(tmp_path), given(tmp_path, overwrite_output_dir=True, max_train_samples=9))
    assert commands.names() == ["teacher-1", "teacher-2", "out"]


def test_options_that_change_no_result_reach_the_stages_but_run_none_again(run, commands, tmp_path):
    run(chain(tmp_path), given(tmp_path, report_to=["none"]))
    assert commands.options("teacher-1")["report_to"] == ["none"]
    commands.names()
    run(chain(tmp_path), given(tmp_path, overwrite_output_dir=True, use_cpu=True))
    assert commands.names() == ["out"]


def interrupt(run, commands, tmp_path, name):
    commands.fail_at = name
    with pytest.raises(KeyboardInterrupt):
        run(chain(tmp_path), given(tmp_path))
    commands.fail_at = None
    return commands.names()


def test_an_interrupted_stage_continues(run, commands, tmp_path):
    assert interrupt(run, commands, tmp_path, "teacher-2") == ALL[:-1]
    run(chain(tmp_path), given(tmp_path, resume_from_checkpoint=True))  # as the interruption's message says
    assert commands.options("teacher-2")["resume_from_checkpoint"] is True
    assert "resume_from_checkpoint" not in commands.options("out")  # there is nothing to resume
    assert commands.names() == ["teacher-2", "out"]


def test_an_interrupted_stage_whose_options_changed_begins_anew(run, commands, tmp_path):
    interrupt(run, commands, tmp_path, "teacher-1")
    run(chain(tmp_path, teacher={"learning_rate": 0.1}), given(tmp_path))
    assert "resume_from_checkpoint" not in commands.options("teacher-1")
    assert not (tmp_path / "out" / "stages" / "teacher-1" / "checkpoint-5").exists()


def test_a_stage_killed_in_its_first_checkpoint_begins_anew(run, commands, tmp_path):
    commands.saves_whole_checkpoints = False
    interrupt(run, commands, tmp_path, "teacher-2")
    run(chain(tmp_path), given(tmp_path))
    assert commands.options("teacher-2")["overwrite_output_dir"] is True
    assert "resume_from_checkpoint" not in commands.options("teacher-2")
    assert commands.names() == ["teacher-2", "out"]


def test_a_recipe_killed_in_its_last_stages_first_checkpoint_can_be_resumed_and_overwritten(run, commands, tmp_path):
    commands.saves_whole_checkpoints = False
    interrupt(run, commands, tmp_path, "out")
    run(chain(tmp_path), given(tmp_path, resume_from_checkpoint=True))
    assert "resume_from_checkpoint" not in commands.options("out")
    run(chain(tmp_path), given(tmp_path, overwrite_output_dir=True))
    assert commands.names() == ["out"]


def test_a_damaged_record_of_a_stage_is_made_anew(run, commands, tmp_path):
    run(chain(tmp_path), given(tmp_path))
    commands.names()
    (tmp_path / "out" / "stages" / "teacher-1" / "stage.json").write_text('{"opt')
    run(chain(tmp_path), given(tmp_path, overwrite_output_dir=True))
    assert commands.names() == ["teacher-1", "out"]


def test_the_last_stage_continues_if_it_was_the_one_interrupted(run, commands, tmp_path):
    interrupt(run, commands, tmp_path, "out")
    run(chain(tmp_path), given(tmp_path, resume_from_checkpoint=True))
    assert commands.options("out")["resume_from_checkpoint"] is True
    assert commands.names() == ["out"]


def test_a_folder_that_holds_a_model_is_refused_before_anything_is_run(run, commands, tmp_path):
    run(chain(tmp_path), given(tmp_path))
    commands.names()
    with pytest.raises(FileExistsError, match="--overwrite_output_dir"):
        run(chain(tmp_path, lm={"hidden_size": 16}), given(tmp_path))
    assert commands.names() == []


def test_a_folder_that_is_no_stage_is_left_alone(run, tmp_path):
    theirs = tmp_path / "stages" / "lm" / "model.safetensors"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("precious")
    with pytest.raises(FileExistsError, match=r"lm holds model\.safetensors, .*name another --stages_dir"):
        run(chain(tmp_path), given(tmp_path), str(tmp_path / "stages"))
    assert theirs.read_text() == "precious"


# With real commands

SMALL = shlex.split(
    "--dataset sample --max_train_samples 48 --max_eval_samples 16 --max_predict_samples 16 --use_cpu "
    "--report_to none --disable_tqdm true"
)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "reviews.txt"
    path.write_text("".join(f"영화 {word} 재미 있다 없다\n" for word in ("정말", "굿", "별로", "음악") * 30))
    return path


LIGHT = {"embedding_size": 8, "hidden_size": 8, "num_train_epochs": 1}
UNSAVED = {"eval_strategy": "no", "save_strategy": "no", "load_best_model_at_end": False}


def test_vectors_become_the_embeddings_of_a_classifier(tmp_path, text):
    path = write(
        tmp_path,
        stage("vectors", "word-vectors", options={"vector_size": 8, "bucket": 100, "epochs": 1, "min_frequency": 1}),
        stage("model", options={**LIGHT, "embeddings": "$vectors", "freeze_embeddings_epochs": 1, "min_frequency": 1}),
    )
    flags = [*SMALL, "--output_dir", str(tmp_path / "out"), "--unlabeled", str(text)]
    result = run_recipe(read_recipe(path), parse(TRAIN, flags))
    assert result.folder == tmp_path / "out"
    vectors = load_file(tmp_path / "out" / "stages" / "vectors" / "vectors.safetensors")
    tokens = json.loads(bytes(vectors["tokens"].tolist()))
    classifier = okt_lstm.load(tmp_path / "out", device="cpu")
    table = classifier.model.get_input_embeddings().weight
    places = classifier.tokenizer.get_vocab()
    shared = [token for token in tokens if token in places]
    assert shared
    for token in shared:
        assert torch.equal(table[places[token]], vectors["vectors"][tokens.index(token)])
    card = ModelCard.load(tmp_path / "out" / "README.md").text
    assert "The embeddings started from the vectors of `vectors.safetensors`" in card
    assert "These were learned from the texts of `reviews.txt`, without labels, including those that" in card
    assert f"| vectors' texts | reviews.txt | {text.stat().st_size:,} |" in card


def test_a_language_model_makes_teachers_and_they_a_student(tmp_path, text, capsys):
    path = write(
        tmp_path,
        stage("lm", "pretrain", options={**LIGHT, **UNSAVED, "min_frequency": 1, "subword": "bpe"}),
        stage("teacher", seeds=[1, 2], options={"pretrained": "$lm", "num_train_epochs": 1}),
        stage("model", options={**LIGHT, "teacher": "$teacher", "min_frequency": 1}),
    )
    flags = [*SMALL, "--output_dir", str(tmp_path / "out"), "--unlabeled", str(text)]
    assert main(["train", "--recipe", path, "--stages_dir", str(tmp_path / "stages"), *flags]) == 0
    printed = capsys.readouterr().out
    assert json.loads(printed[printed.index('{\n  "folder"') :])["folder"] == str(tmp_path / "out")
    assert {folder.name for folder in (tmp_path / "stages").iterdir()} == {"lm", "teacher-1", "teacher-2"}
    assert okt_lstm.load(tmp_path / "out", device="cpu").predict("정말 재미 있다") in ("negative", "positive")
    tested = sorted(tmp_path.rglob("test_results.json"))
    assert tested == [tmp_path / "out" / "test_results.json"]  # the test set is read for the result alone
    card = ModelCard.load(tmp_path / "out" / "README.md").text
    assert "the mean prediction of 2 teachers (`teacher-1`, `teacher-2`) for the training rows and for 120 " in card
    assert "The teacher `teacher-1` was pretrained as a language model on 108 texts of `reviews.txt`" in card
    assert str(tmp_path) not in card
