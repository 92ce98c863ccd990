import json
import shlex
from pathlib import Path

import pytest
import torch
import yaml
from huggingface_hub import ModelCard
from safetensors.torch import load_file

import okt_lstm
import okt_lstm.training.recipe as recipe_module
from okt_lstm.cli import main
from okt_lstm.training.options import parse_arguments, parse_pretraining_arguments
from okt_lstm.training.recipe import RECIPE_NAME, STAGES_NAME, read_recipe, recipe_names, run_recipe
from okt_lstm.training.word_vectors import parse_embedding_arguments

PARSERS = {"embed": parse_embedding_arguments, "pretrain": parse_pretraining_arguments, "train": parse_arguments}
SMALL = shlex.split(
    "--dataset sample --max_train_samples 48 --max_eval_samples 16 --max_predict_samples 16 --use_cpu "
    "--report_to none --disable_tqdm true"
)


def write(folder, *stages, **top):
    path = folder / "mine.yaml"
    path.write_text(
        yaml.safe_dump({"version": 1, "description": "a test", "stages": list(stages)} | top, sort_keys=False)
    )
    return str(path)


def stage(name, command="train", **fields):
    return {"name": name, "command": command, **fields}


# Reading


@pytest.mark.parametrize("name", recipe_names())
def test_the_recipes_of_the_package_are_read_and_their_options_are_taken(name, tmp_path):
    recipe = read_recipe(name)
    assert recipe.name == name
    assert recipe.version >= 1
    assert recipe.description.strip().endswith(".")
    for each in recipe.stages:
        results = {other.name: [recipe_module._Result(other.name, {})] for other in recipe.stages}
        options = recipe_module._with_results(each, results)
        where = {"output": "v.safetensors"} if each.command == "embed" else {"output_dir": str(tmp_path)}
        text = {"unlabeled": "texts.txt"} if each.reads_unlabeled else {}
        PARSERS[each.command](recipe_module.to_flags(options | where | text))


def test_the_classic_recipe_is_what_training_does_unasked():
    (only,) = read_recipe("classic").stages
    assert (only.command, only.options) == ("train", {})


def test_a_file_is_read(tmp_path):
    path = write(
        tmp_path,
        stage("lm", "pretrain", options={"hidden_size": 8}),
        stage("teacher", seeds=[1, 2], options={"pretrained": "$lm"}),
        stage("model", options={"teacher": ["$teacher", "another"]}),
    )
    recipe = read_recipe(path)
    assert (recipe.name, recipe.version, recipe.description) == ("mine", 1, "a test")
    assert [each.name for each in recipe.stages] == ["lm", "teacher", "model"]
    assert [each.seeds for each in recipe.stages] == [(), (1, 2), ()]
    assert [each.reads_unlabeled for each in recipe.stages] == [True, False, True]
    assert recipe.text == Path(path).read_text()


@pytest.mark.parametrize("option", ["embeddings", "pretrained"])
def test_what_several_seeds_left_is_for_teachers_only(tmp_path, option):
    path = write(
        tmp_path, stage("first", seeds=[1, 2]), stage("model", options={"teacher": "$first", option: "$first"})
    )
    with pytest.raises(ValueError, match=rf"stage 2: {option} is \$first, which has 2 results"):
        read_recipe(path)


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_the_example_in_the_readme_is_a_recipe(tmp_path, name):
    text = (Path(__file__).parents[2] / name).read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    recipe = read_recipe(str(tmp_path / "mine.yaml"))
    assert [each.command for each in recipe.stages] == ["pretrain", "train", "train"]


@pytest.mark.parametrize(
    ("stages", "top", "message"),
    [
        ([stage("m")], {"author": "me"}, "version, description and stages, but no 'author'"),
        ([stage("m")], {"version": "one"}, "needs a version"),
        ([], {}, "a list of stages"),
        ([stage("m")], {"stages": "train"}, "a list of stages"),
        (["train"], {}, "stage 1: must be a table of name, command"),
        ([{"name": "m"}], {}, "stage 1: must be a table of name, command"),
        ([stage("m", flags={})], {}, "stage 1: must be a table of name, command"),
        ([stage("m", options=["seed"])], {}, "stage 1: the options must be a table"),
        ([stage("m", seeds=3)], {}, "stage 1: the seeds must be a list of whole numbers"),
        ([stage("m", seeds=["a"])], {}, "stage 1: the seeds must be a list of whole numbers"),
        ([stage("m", "predict")], {}, "the command is 'predict'; it can be embed, pretrain, train"),
        ([stage("m", ["train"])], {}, "the command is .*; it can be embed"),
        ([stage("my model")], {}, "needs a name of its own of letters and underscores, not 'my model'"),
        ([stage("../m")], {}, "needs a name of its own"),
        ([stage("m"), stage("m")], {}, "stage 2: needs a name of its own"),
        ([stage("m", options={"hiden_size": 8})], {}, "`train` has no option 'hiden_size' .*mean 'hidden_size'"),
        ([stage("m", options={"output_dir": "x"})], {}, "`train` has no option 'output_dir' that a recipe could set$"),
        ([stage("v", "embed", options={"output": "x"}), stage("m")], {}, "`embed` has no option 'output'"),
        ([stage("m", options={"pretrained": "$lm"})], {}, r"pretrained is \$lm, but no earlier stage is called so"),
        ([stage("m", options={"teacher": ["a", "$m"]})], {}, r"teacher is \$m, but no earlier stage"),
        ([stage("m"), stage("lm", "pretrain")], {}, "the last stage has to be one of `train`, without seeds"),
        ([stage("m", seeds=[1])], {}, "the last stage has to be one of `train`, without seeds"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(tmp_path, stages, top, message):
    with pytest.raises(ValueError, match=rf"mine\.yaml.*{message}"):
        read_recipe(write(tmp_path, *stages, **top))


def test_a_file_that_is_none_and_a_name_that_is_none_are_errors(tmp_path):
    (tmp_path / "bad.yaml").write_text("stages: [")
    with pytest.raises(ValueError, match=r"bad\.yaml: not valid YAML"):
        read_recipe(str(tmp_path / "bad.yaml"))
    with pytest.raises(ValueError, match=r"no recipe 'besst': name a YAML file, or one of .*classic"):
        read_recipe("besst")


def test_mistakes_with_the_command_are_one_line(tmp_path, capsys):
    assert main(["train", "--recipe", "besst", "--output_dir", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.startswith("okt-lstm: error: there is no recipe 'besst'")
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--recipe", "classic", "--output_dir", str(tmp_path / "out"), "--hiden_size", "8"])
    assert exit_.value.code == 2
    assert "did you mean --hidden_size?" in capsys.readouterr().err
    with pytest.raises(SystemExit) as exit_:
        main(["train", "--recipe", "classic", "--help"])
    assert exit_.value.code == 0
    assert "--stages_dir" in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


# Which stages are run, and how


class Commands:
    """Stands in for the commands: writes down what is run, and leaves a file like the command."""

    def __init__(self, monkeypatch):
        self.runs = []
        self.fail_at = None
        monkeypatch.setattr(
            recipe_module,
            "_COMMANDS",
            {
                name: recipe_module._Command(command.parts, lambda argv, name=name: self.run(name, argv))
                for name, command in recipe_module._COMMANDS.items()
            },
        )

    def run(self, name, argv):
        flags = dict(flag.removeprefix("--").partition("=")[::2] for flag in argv if flag.startswith("--"))
        path = Path(flags.get("output") or flags["output_dir"])
        self.runs.append((path.parent.name if name == "embed" else path.name, argv))
        folder = path.parent if name == "embed" else path
        folder.mkdir(parents=True, exist_ok=True)
        if path.name == self.fail_at:
            (folder / "checkpoint-5").mkdir()
            raise KeyboardInterrupt("stopped")
        (path if name == "embed" else path / "model.safetensors").write_text("")
        return "the result"

    def names(self):
        """What was run since the last call."""
        names = [name for name, _ in self.runs]
        self.runs = []
        return names

    def flags(self, name):
        return next(argv for called, argv in self.runs if called == name)


@pytest.fixture
def commands(monkeypatch):
    return Commands(monkeypatch)


def chain(folder, lm=(), teacher=(), model=()):
    return read_recipe(
        write(
            folder,
            stage("vectors", "embed", options={"vector_size": 8}),
            stage("lm", "pretrain", options={"hidden_size": 8, **dict(lm)}),
            stage("teacher", seeds=[1, 2], options={"pretrained": "$lm", **dict(teacher)}),
            stage("model", options={"teacher": "$teacher", "embeddings": "$vectors", **dict(model)}),
        )
    )


ALL = ["vectors", "lm", "teacher-1", "teacher-2", "out"]


def given(folder, *flags):
    return ["--output_dir", str(folder / "out"), "--unlabeled", "t.txt", *flags]


def test_results_stand_for_the_names_of_stages(commands, tmp_path):
    assert run_recipe(chain(tmp_path), given(tmp_path)) == "the result"
    assert [name for name, _ in commands.runs] == ALL
    stages = tmp_path / "out" / "stages"
    assert commands.flags("teacher-2")[:3] == ["--pretrained", str(stages / "lm"), "--seed=2"]
    final = commands.flags("out")
    assert final[:3] == ["--teacher", str(stages / "teacher-1"), str(stages / "teacher-2")]
    assert final[3:5] == ["--embeddings", str(stages / "vectors" / "vectors.safetensors")]


def test_a_list_may_name_stages_and_models(commands, tmp_path):
    recipe = read_recipe(
        write(tmp_path, stage("a", seeds=[1, 2]), stage("b"), stage("m", options={"teacher": ["$a", "x/y", "$b"]}))
    )
    run_recipe(recipe, given(tmp_path))
    stages = tmp_path / "out" / "stages"
    assert commands.flags("out")[1:5] == [str(stages / "a-1"), str(stages / "a-2"), "x/y", str(stages / "b")]


def test_the_users_flags_win_in_the_last_stage_and_those_of_data_hold_everywhere(commands, tmp_path):
    flags = ["--seed", "7", "--learning_rate", "0.5", "--data_dir", "d", "--max_train_samples", "9", "--use_cpu"]
    recipe = chain(tmp_path, teacher={"learning_rate": 0.1}, model={"learning_rate": 0.1, "seed": 1})
    run_recipe(recipe, given(tmp_path, *flags))
    assert {"--learning_rate=0.5", "--seed=7", "--data_dir=d", "--max_train_samples=9"} <= set(commands.flags("out"))
    assert not {"--learning_rate=0.1", "--seed=1"} & set(commands.flags("out"))
    teacher = set(commands.flags("teacher-1"))
    assert {"--learning_rate=0.1", "--seed=1", "--data_dir=d", "--max_train_samples=9", "--use_cpu=True"} <= teacher
    assert "--unlabeled=t.txt" not in teacher
    assert {"--unlabeled=t.txt", "--use_cpu=True"} <= set(commands.flags("lm"))
    assert "--unlabeled=t.txt" in commands.flags("vectors")
    assert not [flag for name in ("lm", "vectors") for flag in commands.flags(name) if "learning_rate" in flag]


def test_unlabeled_text_that_no_stage_reads_is_said_and_left_out(commands, tmp_path, caplog):
    run_recipe(read_recipe("classic"), given(tmp_path))
    assert "--unlabeled isn't read" in caplog.text
    assert commands.flags("out") == [f"--output_dir={tmp_path / 'out'}"]


def test_a_folder_for_stages_needs_a_recipe(capsys, tmp_path):
    assert main(["train", "--output_dir", str(tmp_path / "out"), "--stages_dir", str(tmp_path / "stages")]) == 1
    assert "--stages_dir goes with --recipe" in capsys.readouterr().err


def test_a_teacher_given_as_a_flag_gets_the_text(commands, tmp_path, caplog):
    run_recipe(read_recipe("classic"), given(tmp_path, "--teacher", "large"))
    assert "--unlabeled=t.txt" in commands.flags("out")
    assert not caplog.text


def test_recipe_and_times_are_left(commands, tmp_path):
    recipe = chain(tmp_path)
    run_recipe(recipe, given(tmp_path))
    assert (tmp_path / "out" / RECIPE_NAME).read_text() == recipe.text
    times = json.loads((tmp_path / "out" / STAGES_NAME).read_text())
    assert (times["recipe"], times["version"]) == ("mine", 1)
    assert list(times["seconds"]) == ["vectors", "lm", "teacher-1", "teacher-2", "model"]
    assert all(seconds >= 0 for seconds in times["seconds"].values())


def test_finished_stages_are_shared_and_not_run_again(commands, tmp_path):
    recipe = chain(tmp_path)
    stages = str(tmp_path / "stages")
    run_recipe(recipe, given(tmp_path), stages)
    assert commands.names() == ALL
    run_recipe(recipe, ["--output_dir", str(tmp_path / "two"), "--unlabeled", "t.txt", "--seed", "2"], stages)
    assert commands.names() == ["two"]
    times = [json.loads((tmp_path / name / STAGES_NAME).read_text())["seconds"] for name in ("out", "two")]
    assert times[0]["lm"] == times[1]["lm"]


@pytest.mark.parametrize(
    ("changed", "run_again"),
    [
        ({"lm": {"hidden_size": 16}}, ["lm", "teacher-1", "teacher-2", "out"]),
        ({"teacher": {"learning_rate": 0.1}}, ["teacher-1", "teacher-2", "out"]),
        ({"model": {"learning_rate": 0.1}}, ["out"]),
    ],
)
def test_other_options_run_a_stage_again_and_those_that_build_on_it(commands, tmp_path, changed, run_again):
    run_recipe(chain(tmp_path), given(tmp_path))
    commands.names()
    again = given(tmp_path, "--overwrite_output_dir")
    run_recipe(chain(tmp_path, **changed), again)
    assert commands.names() == run_again
    run_recipe(chain(tmp_path, **changed), again)
    assert commands.names() == ["out"]


def test_other_data_run_the_stages_again_that_read_them(commands, tmp_path):
    run_recipe(chain(tmp_path), given(tmp_path))
    commands.names()
    run_recipe(chain(tmp_path), given(tmp_path, "--overwrite_output_dir", "--max_train_samples", "9"))
    assert commands.names() == ["teacher-1", "teacher-2", "out"]


def test_options_that_change_no_result_reach_the_stages_but_run_none_again(commands, tmp_path):
    run_recipe(chain(tmp_path), given(tmp_path, "--report_to", "none"))
    assert "--report_to=none" in commands.flags("teacher-1")
    commands.names()
    run_recipe(chain(tmp_path), given(tmp_path, "--overwrite_output_dir", "--use_cpu"))
    assert commands.names() == ["out"]


def test_an_interrupted_stage_goes_on(commands, tmp_path):
    commands.fail_at = "teacher-2"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(chain(tmp_path), given(tmp_path))
    assert commands.names() == ALL[:-1]
    commands.fail_at = None
    run_recipe(chain(tmp_path), given(tmp_path, "--resume_from_checkpoint"))  # as the interruption's message says
    assert "--resume_from_checkpoint=true" in commands.flags("teacher-2")
    assert not [flag for flag in commands.flags("out") if "resume" in flag]  # there is nothing to resume
    assert commands.names() == ["teacher-2", "out"]


def test_an_interrupted_stage_whose_options_changed_begins_anew(commands, tmp_path):
    commands.fail_at = "teacher-1"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(chain(tmp_path), given(tmp_path))
    commands.fail_at = None
    commands.names()
    run_recipe(chain(tmp_path, teacher={"learning_rate": 0.1}), given(tmp_path))
    assert not [flag for flag in commands.flags("teacher-1") if "resume" in flag]
    assert not (tmp_path / "out" / "stages" / "teacher-1" / "checkpoint-5").exists()


def test_the_last_stage_goes_on_if_it_was_the_one_interrupted(commands, tmp_path):
    commands.fail_at = "out"
    with pytest.raises(KeyboardInterrupt):
        run_recipe(chain(tmp_path), given(tmp_path))
    commands.names()
    commands.fail_at = None
    run_recipe(chain(tmp_path), given(tmp_path, "--resume_from_checkpoint"))
    assert "--resume_from_checkpoint=true" in commands.flags("out")
    assert commands.names() == ["out"]


def test_a_folder_that_holds_a_model_is_refused_before_anything_is_run(commands, tmp_path):
    run_recipe(chain(tmp_path), given(tmp_path))
    commands.names()
    with pytest.raises(FileExistsError, match="--overwrite_output_dir"):
        run_recipe(chain(tmp_path, lm={"hidden_size": 16}), given(tmp_path))
    assert commands.names() == []


def test_a_folder_that_is_no_stage_is_left_alone(commands, tmp_path):
    theirs = tmp_path / "stages" / "lm" / "model.safetensors"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("precious")
    with pytest.raises(FileExistsError, match=r"lm holds model\.safetensors, .*name another --stages_dir"):
        run_recipe(chain(tmp_path), given(tmp_path), str(tmp_path / "stages"))
    assert theirs.read_text() == "precious"


# In earnest


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
        stage("vectors", "embed", options={"vector_size": 8, "bucket": 100, "epochs": 1, "min_frequency": 1}),
        stage("model", options={**LIGHT, "embeddings": "$vectors", "freeze_embeddings_epochs": 1, "min_frequency": 1}),
    )
    result = run_recipe(read_recipe(path), [*SMALL, "--output_dir", str(tmp_path / "out"), "--unlabeled", str(text)])
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
    assert "These were learned from the texts of `reviews.txt`, without labels, those texts included that" in card
    assert f"| vectors' texts | reviews.txt | {text.stat().st_size:,} |" in card


def test_a_language_model_makes_teachers_and_they_a_student(tmp_path, text, capsys):
    path = write(
        tmp_path,
        stage("lm", "pretrain", options={**LIGHT, **UNSAVED, "min_frequency": 1, "tokenizer_model": "bpe"}),
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
    assert "the mean answer of 2 teachers (`teacher-1`, `teacher-2`) to the training rows and to 120 texts" in card
    assert "The teacher `teacher-1` was pretrained as a language model on 108 texts of `reviews.txt`" in card
    assert str(tmp_path) not in card
