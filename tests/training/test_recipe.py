from pathlib import Path

import pytest
import yaml

from okt_lstm.cli import main
from okt_lstm.training.parts import (
    EncoderParts,
    PretrainParts,
    SpacingParts,
    TaggingParts,
    TrainParts,
    WordVectorParts,
    build,
)
from okt_lstm.training.recipe import read_recipe, recipe_names

PARTS = {
    "word-vectors": WordVectorParts,
    "pretrain": PretrainParts,
    "train": TrainParts,
    "train-encoder": EncoderParts,
    "train --task token-classification": TaggingParts,
    "train --task spacing": SpacingParts,
}
RECORDED = Path(__file__).parents[1] / "recorded" / "0.1.0"


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
    commands = {
        "encoder": "train-encoder",
        "ner": "train --task token-classification",
        "spacing": "train --task spacing",
    }
    recipe = read_recipe(name, commands.get(name, "train"))
    assert recipe.name == name
    assert recipe.version >= 1
    assert recipe.description.strip().endswith(".")
    for each in recipe.stages:
        where = {"output": "v.safetensors"} if each.command == "word-vectors" else {"output_dir": str(tmp_path)}
        if each.command == "train-encoder":
            # Which one is for the user to say.
            where["teacher"] = "owner/name"
        if each.command.startswith("train --task"):
            where["dataset"] = "names.jsonl"
        build(PARTS[each.command], each.options | where)


@pytest.mark.parametrize("name", sorted(path.stem for path in (RECORDED / "recipes").glob("*.yaml")))
def test_the_recipes_of_0_1_0_are_read_as_the_same_stages(name):
    assert read_recipe(str(RECORDED / "recipes" / f"{name}.yaml")).stages == read_recipe(name).stages


def test_the_classic_recipe_is_what_training_does_by_default():
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


def test_a_recipe_extends_another_by_stages_of_its_own(tmp_path):
    write(tmp_path, stage("a", options={"seed": 1}), stage("b"), stage("model"))
    (tmp_path / "mine.yaml").rename(tmp_path / "base.yaml")
    own = [stage("b", options={"seed": 2}), stage("last", options={"teacher": "$b"})]
    recipe = read_recipe(write(tmp_path, *own, extends=str(tmp_path / "base.yaml"), version=7))
    assert [(each.name, each.options) for each in recipe.stages] == [
        ("a", {"seed": 1}),
        ("b", {"seed": 2}),
        ("model", {}),
        ("last", {"teacher": ["$b"]}),
    ]
    (tmp_path / "whole.yaml").write_text(recipe.text)
    assert read_recipe(str(tmp_path / "whole.yaml")).stages == recipe.stages


def test_a_recipe_that_extends_itself_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="extends this recipe"):
        read_recipe(write(tmp_path, stage("m"), extends=str(tmp_path / "mine.yaml")))


@pytest.mark.parametrize("option", ["embeddings", "pretrained"])
def test_what_several_seeds_left_is_for_teachers_only(tmp_path, option):
    path = write(
        tmp_path, stage("first", seeds=[1, 2]), stage("model", options={"teacher": "$first", option: "$first"})
    )
    with pytest.raises(ValueError, match=rf"stage 2: {option} is \$first, which has 2 results"):
        read_recipe(path)


@pytest.mark.parametrize(
    ("stages", "top", "message"),
    [
        ([stage("m")], {"author": "me"}, "version, description, extends and stages, but no 'author'"),
        ([stage("m")], {"version": "one"}, "needs a version"),
        ([], {}, "a list of stages"),
        ([stage("m")], {"stages": "train"}, "a list of stages"),
        (["train"], {}, "stage 1: must be a mapping with `name` and `command`"),
        ([{"name": "m"}], {}, "stage 1: must be a mapping with `name` and `command`"),
        ([stage("m", flags={})], {}, "stage 1: must be a mapping with `name` and `command`"),
        ([stage("m", options=["seed"])], {}, "stage 1: the options must be a table"),
        ([stage("m", seeds=3)], {}, "stage 1: the seeds must be a list of whole numbers"),
        ([stage("m", seeds=["a"])], {}, "stage 1: the seeds must be a list of whole numbers"),
        ([stage("m", "predict")], {}, "the command is 'predict'; it can be train, pretrain, word-vectors"),
        ([stage("m", ["train"])], {}, "the command is .*; it can be train"),
        (
            [stage("my model")],
            {},
            r"identifiers \(letters, digits, underscores\), which 'my model' is not",
        ),
        ([stage("../m")], {}, "must be unique identifiers"),
        ([stage("m"), stage("m")], {}, "stage 2: stage names must be unique"),
        (
            [stage("m", options={"hiden_size": 8})],
            {},
            "unknown option 'hiden_size' .did you mean hidden_size",
        ),
        ([stage("m", options={"hidden_size": "x"})], {}, "`train`: hidden_size is 'x'; it has to be a whole number"),
        ([stage("m", options={"output_dir": "x"})], {}, "a recipe can't set 'output_dir'"),
        ([stage("m", options={"push_to_hub": True})], {}, "a recipe can't set 'push_to_hub'"),
        ([stage("m", options={"hub_token": "hf_x"})], {}, "a recipe can't set 'hub_token'"),
        ([stage("m", options={"hub_model_id": "a/b"})], {}, "a recipe can't set 'hub_model_id'"),
        ([stage("m", options={"overwrite_output_dir": True})], {}, "a recipe can't set 'overwrite_output_dir'"),
        ([stage("v", "word-vectors", options={"output": "x"}), stage("m")], {}, "a recipe can't set 'output'"),
        ([stage("m", options={"pretrained": "$lm"})], {}, r"pretrained is \$lm, but no earlier stage has that name"),
        ([stage("m", options={"teacher": ["a", "$m"]})], {}, r"teacher is \$m, but no earlier stage"),
        (
            [stage("m"), stage("lm", "pretrain")],
            {},
            "the last stage has to be one of train or train-encoder or .*, without seeds",
        ),
        ([stage("m", seeds=[1])], {}, "the last stage has to be one of train or train-encoder or .*, without seeds"),
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
