"""Models travel over the Hub, by the real client against a stand-in of the Hub on loopback (hub_server.py).

The client reads its address from the environment when it is imported, so it runs in processes of its own: one where
okt_lstm is imported, and one where neither okt_lstm nor oktane can be.
"""

import json
import os
import shutil
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hub_processes import (
    TEXTS,
    classify,
    command,
    error_of,
    logits_for,
    loss_for,
    make_encoder,
    make_folder,
    make_head,
    make_language_model,
    make_sibling,
    push,
    push_objects,
    start_with_package,
    start_without_package,
    use_head,
    vectors,
    with_endpoint,
    with_environment,
)
from hub_server import HubServer

SOURCES = {path.name: path for path in Path(__file__).parents[1].glob("src/okt_lstm/models/*.py")}
# Of these, what an LSTM that classifies and its tokenizer need: no other model's code, and no other tokenizer's.
CODE = {name for name in SOURCES if name == "modeling_lstm.py" or not name.startswith("modeling_")}
CODE -= {"__init__.py", "crf.py", "generation.py", "tokenization_okt_character.py"}
MODEL = {"config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "README.md"} | CODE


# Fixtures


@pytest.fixture(scope="module")
def hub():
    with HubServer(users={"hf_kim": "kim", "hf_lee": "lee"}) as server:
        yield server


def started_process(hub, home, start):
    """A process with our server's address and kim's token in its environment, in which `start` has been called."""
    process = ProcessPoolExecutor(1, mp_context=get_context("spawn"))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in hub.environment(home, token="hf_kim").items():
            patch.setenv(name, value)
        process.submit(start).result()
    return process


@pytest.fixture(scope="module")
def here(hub, tmp_path_factory):
    """Runs a function where okt_lstm is imported."""
    with started_process(hub, tmp_path_factory.mktemp("here"), start_with_package) as process:
        yield lambda *call, **options: process.submit(*call, **options).result()


@pytest.fixture(scope="module")
def elsewhere(hub, tmp_path_factory):
    """Runs a function on a machine with transformers, konlpy and Java, but neither okt_lstm nor oktane."""
    with started_process(hub, tmp_path_factory.mktemp("elsewhere"), start_without_package) as process:
        yield lambda *call, **options: process.submit(*call, **options).result()


@pytest.fixture(scope="module")
def trained(here, tmp_path_factory):
    """A trained folder; not to be written to."""
    folder = tmp_path_factory.mktemp("trained") / "out"
    here(make_folder, folder, seed=0)
    return folder


@pytest.fixture
def folder(trained, tmp_path):
    """A copy of the trained folder to break."""
    return Path(shutil.copytree(trained, tmp_path / "out"))


@pytest.fixture(scope="module")
def repo(hub, here, trained):
    """The trained folder as a public repository."""
    assert here(push, trained, "kim/reviews") == f"{hub.endpoint}/kim/reviews"
    return "kim/reviews"


@pytest.fixture(scope="module")
def answers(here, trained):
    """What the trained folder says of TEXTS where it was made."""
    return here(classify, trained)


# Pushing a folder


def test_push_shares_what_others_need_and_nothing_else(hub, repo, trained):
    shared = hub.files(repo)
    assert shared.keys() == MODEL | {"test_results.json", "confusion_matrix.png"}
    for name, content in shared.items():
        assert content == (trained / name).read_bytes()


def test_what_is_included_by_name_is_shared_and_nothing_outside_the_folder_can_be(hub, here, folder):
    (folder / "LICENSE").write_text("Apache-2.0")
    (folder.parent / "secret").write_text("secret")
    here(push, folder, "kim/included", include=["LICENSE"])
    assert hub.files("kim/included").keys() == MODEL | {"test_results.json", "confusion_matrix.png", "LICENSE"}
    for name in ("../secret", str(folder.parent / "secret"), "missing"):
        assert here(error_of, push, folder, "kim/outside", include=[name])[0] == "ValueError"
    assert "kim/outside" not in hub.repositories


def test_no_path_of_this_machine_is_shared(hub, here, folder):
    data = {"dataset": "/home/kim/secret/reviews.csv", "data_dir": "/home/kim/secret", "text_column": "본문"}
    (folder / "data_args.json").write_text(json.dumps(data))
    # As 0.1.0 noted it.
    card = {"hyperparameters": {"user_dictionary": "/home/kim/secret/words.txt"}}
    (folder / "card.json").write_text(json.dumps(card, indent=2))
    with (folder / "README.md").open("a") as readme:
        readme.write("| user_dictionary | `/home/kim/secret/words.txt` |\n")
    here(push, folder, "kim/quiet-paths")
    shared = hub.files("kim/quiet-paths")
    assert not [name for name, content in shared.items() if b"secret" in content]
    assert json.loads(shared["data_args.json"]) == {"dataset": "reviews.csv", "text_column": "본문"}
    assert b"`words.txt`" in shared["README.md"]
    # What is on this machine stays as it is: `okt-lstm evaluate` reads it.
    assert json.loads((folder / "data_args.json").read_text()) == data


def test_push_again_replaces_what_changed(hub, here, folder):
    here(push, folder, "kim/twice")
    first = dict(hub.files("kim/twice"))
    (folder / "README.md").write_text("---\nlanguage: ko\n---\n# Better\n")
    here(push, folder, "kim/twice", commit_message="Say more")
    assert hub.files("kim/twice") == {**first, "README.md": (folder / "README.md").read_bytes()}


def test_push_to_a_branch_leaves_main_alone(hub, here, trained):
    url = here(push, trained, "kim/branched", revision="v2")
    assert url == f"{hub.endpoint}/kim/branched/tree/v2"
    assert hub.files("kim/branched") == {}
    assert hub.files("kim/branched", "v2").keys() >= MODEL


def test_a_private_push_is_never_public(hub, here, trained, repo):
    here(push, trained, "kim/quiet", private=True)
    assert hub.repositories["kim/quiet"].private
    before = dict(hub.files(repo))
    name, message = here(error_of, push, trained, repo, private=True)
    assert name == "PermissionError"
    assert "exists and is public" in message
    assert hub.files(repo) == before


def test_push_without_a_token_says_how_to_log_in(hub, here, trained):
    name, message = here(with_environment, {"HF_TOKEN": ""}, error_of, push, trained, "kim/new")
    assert name == "PermissionError"
    assert "hf auth login" in message
    assert "HF_TOKEN" in message
    assert "kim/new" not in hub.repositories


@pytest.mark.parametrize(
    ("repo_id", "token", "says"),
    [
        ("kim/new", "hf_wrong", "Invalid credentials"),
        ("lee/new", "hf_kim", 'namespace "lee"'),
        ("kim/not a name", "hf_kim", "kim/not a name"),
    ],
    ids=["unknown token", "another's namespace", "bad name"],
)
def test_push_explains_a_refusal(here, trained, repo_id, token, says):
    name, message = here(error_of, push, trained, repo_id, token=token)
    assert name in ("PermissionError", "HFValidationError")
    assert says in message


def test_push_to_a_hub_out_of_reach_is_a_connection_error(here, trained):
    name, message = here(with_endpoint, "http://127.0.0.1:9", error_of, push, trained, "kim/new")
    assert name == "ConnectionError"
    assert "http://127.0.0.1:9" in message


# Folders that can't be pushed


def config_changed(**fields):
    def change(folder):
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, **fields}))

    return change


def sharded(folder):
    index = {"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def sharded_outside(folder):
    index = {"metadata": {}, "weight_map": {"a": "../model.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("spoil", "error", "says"),
    [
        (shutil.rmtree, FileNotFoundError, "okt-lstm train"),
        (lambda folder: (folder / "config.json").unlink(), FileNotFoundError, "config.json is missing"),
        (lambda folder: (folder / "config.json").write_text("{"), ValueError, "config.json is damaged"),
        (lambda folder: (folder / "config.json").write_text("[]"), ValueError, "no JSON object"),
        (config_changed(model_type="bert"), ValueError, "model_type is 'bert'"),
        (config_changed(auto_map={}), ValueError, "save_pretrained"),
        (lambda folder: (folder / "modeling_lstm.py").unlink(), FileNotFoundError, "modeling_lstm.py is missing"),
        (lambda folder: (folder / "okt_konlpy.py").unlink(), FileNotFoundError, "okt_konlpy.py is missing"),
        (
            lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"),
            FileNotFoundError,
            "model.safetensors is missing",
        ),
        (lambda folder: os.truncate(folder / "model.safetensors", 100), ValueError, "model.safetensors is damaged"),
        (sharded, FileNotFoundError, "model-00001-of-00002.safetensors is missing"),
        (sharded_outside, ValueError, "is not a file of this folder"),
        (config_changed(auto_map={"AutoConfig": "../evil.Config"}), ValueError, "not a module"),
        (lambda folder: (folder / "tokenizer.json").unlink(), FileNotFoundError, "tokenizer.json is missing"),
        (
            lambda folder: (folder / "tokenizer_config.json").unlink(),
            FileNotFoundError,
            "tokenizer_config.json is miss",
        ),
        (lambda folder: (folder / "README.md").unlink(), FileNotFoundError, "model card"),
    ],
)
def test_an_incomplete_folder_is_refused_before_anything_is_sent(hub, here, folder, spoil, error, says):
    spoil(folder)
    name, message = here(error_of, push, folder, "kim/incomplete")
    assert name == error.__name__
    assert says in message
    assert "kim/incomplete" not in hub.repositories


def test_a_card_with_broken_metadata_is_refused(hub, here, folder):
    (folder / "README.md").write_text("---\nlanguage: [ko\n---\n")
    name, message = here(error_of, push, folder, "kim/card")
    assert name == "ValueError"
    assert "README.md" in message
    assert hub.files("kim/card") == {}


# Pushing objects


def test_model_and_tokenizer_push_themselves(hub, here, trained, answers):
    here(push_objects, trained, "kim/objects")
    assert hub.files("kim/objects").keys() == MODEL
    assert here(classify, "kim/objects") == answers


def test_a_model_passed_on_without_okt_lstm_carries_its_code_along(hub, here, elsewhere, repo, answers):
    elsewhere(push_objects, repo, "kim/passed-on", trust_remote_code=True)
    shared = hub.files("kim/passed-on")
    assert shared.keys() == MODEL
    for name in ("config.json", "tokenizer_config.json"):  # and names no other repository, whose code would be run
        assert b"kim/reviews" not in shared[name]
    assert here(classify, "kim/passed-on") == answers


def test_training_pushes_a_complete_model_without_pickles(hub, here, tmp_path):
    (tmp_path / "credentials.json").write_text("secret")
    (tmp_path / "words.txt").write_text("댕댕이\tNoun\n")
    code, _, errors = here(
        command,
        *("train", "--dataset", "sample", "--output_dir", tmp_path, "--user_dictionary", tmp_path / "words.txt"),
        *("--max_steps", 2, "--report_to", "none"),
        *("--embedding_size", 8, "--hidden_size", 4, "--push_to_hub", "--hub_model_id", "kim/trained"),
    )
    assert code == 0, errors
    shared = hub.files("kim/trained")
    assert shared.keys() >= MODEL | {"test_results.json", "user_dictionary.txt"}
    assert not shared.keys() & {"credentials.json", "words.txt", "trainer_state.json"}
    assert not [name for name, content in shared.items() if str(tmp_path).encode() in content]
    assert not [name for name in shared if Path(name).suffix in (".bin", ".pt", ".pth", ".pkl")]
    assert not [name for name in shared if name.startswith("checkpoint")]
    assert here(command, "predict", "--model", "kim/trained", TEXTS[0])[0] == 0


# Loading


def test_a_program_that_imports_okt_lstm_loads_by_name(here, repo, answers):
    assert here(classify, repo) == answers
    assert answers["model_type"] == "okt_lstm"
    assert answers["module"] == "okt_lstm"


def test_a_machine_without_okt_lstm_loads_the_same_model(elsewhere, repo, answers):
    remote = elsewhere(classify, repo, trust_remote_code=True)
    assert remote.pop("module") == "transformers_modules"
    assert remote == {name: value for name, value in answers.items() if name != "module"}


@pytest.mark.slow
def test_an_encoder_is_pushed_and_loaded_by_name(hub, here, elsewhere, tmp_path):
    here(make_encoder, tmp_path / "encoder")
    here(push, tmp_path / "encoder", "kim/encoder")
    assert "modules.json" in hub.files("kim/encoder")
    expected, again = here(vectors, tmp_path / "encoder")
    assert expected == again
    assert here(vectors, "kim/encoder") == [expected, expected]
    assert elsewhere(vectors, "kim/encoder", trust_remote_code=True) == [expected]


def test_a_copied_folder_works_without_okt_lstm_and_without_the_hub(elsewhere, trained, tmp_path, answers):
    copied = shutil.copytree(trained, tmp_path / "a folder with 한글 in its name")
    remote = elsewhere(classify, copied, trust_remote_code=True)
    assert remote["logits"] == answers["logits"]
    assert remote["labels"] == answers["labels"]


@pytest.mark.parametrize("family", ["GRU", "RNN", "Ngram"])
def test_the_siblings_of_the_lstm_work_without_okt_lstm_too(here, elsewhere, tmp_path, family):
    here(make_sibling, tmp_path, family)
    ids = [[1, 2, 3, 0], [4, 5, 6, 7]]
    assert elsewhere(logits_for, tmp_path, ids, trust_remote_code=True) == here(logits_for, tmp_path, ids)


@pytest.mark.parametrize("family", ["LSTM", "GRU", "RNN"])
def test_language_models_work_without_okt_lstm_too(here, elsewhere, tmp_path, family):
    here(make_language_model, tmp_path, family)
    ids = [[1, 2, 3, 0], [4, 5, 6, 7]]
    assert elsewhere(loss_for, tmp_path, ids, trust_remote_code=True) == here(loss_for, tmp_path, ids)


@pytest.mark.parametrize("family", ["LSTM", *(pytest.param(name, marks=pytest.mark.slow) for name in ("GRU", "RNN"))])
@pytest.mark.parametrize("head", ["TokenClassification", "CausalLM", "MaskedLM", "Seq2SeqLM"])
def test_what_tags_writes_fills_gaps_or_translates_is_pushed_and_works_without_okt_lstm(
    hub, here, elsewhere, tmp_path, family, head
):
    here(make_head, tmp_path, family, head)
    name = f"kim/{family}-{head}"
    here(push, tmp_path, name)
    expected = here(use_head, name, head)
    assert expected
    assert elsewhere(use_head, name, head, trust_remote_code=True) == expected


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_the_code_in_a_folder_needs_little(name):
    """What transformers checks before it runs remote code: imports outside try/except must be installed."""
    from transformers.dynamic_module_utils import get_imports

    needed = set(get_imports(SOURCES[name])) - sys.stdlib_module_names
    assert needed <= {"torch", "transformers", "tokenizers", "numpy", "huggingface_hub"}


def test_the_okt_lstm_package_is_really_out_of_reach_elsewhere(elsewhere):
    assert elsewhere(error_of, __import__, "okt_lstm")[0] == "ModuleNotFoundError"
    assert elsewhere(error_of, __import__, "oktane")[0] == "ModuleNotFoundError"


def test_a_private_model_opens_for_its_owner_only(here, trained, answers):
    here(push, trained, "kim/private", private=True)
    for stranger in ("hf_lee", False):  # before the owner, whose downloads stay in this machine's cache
        name, message = here(error_of, classify, "kim/private", token=stranger)
        assert name == "OSError"
        assert "kim/private" in message
    assert here(classify, "kim/private") == answers


# The command


def test_the_command_pushes_a_folder_and_prints_its_address(hub, here, trained):
    done = here(
        command, "push", trained, "kim/by-command", "--private", "--revision", "draft", "--commit_message", "Try"
    )
    assert done == (0, f"{hub.endpoint}/kim/by-command/tree/draft\n", "")
    assert hub.repositories["kim/by-command"].private
    assert hub.files("kim/by-command", "draft").keys() >= MODEL


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["push", "nowhere", "kim/new"], "nowhere is not a folder"),
        (["push", "{trained}", "kim/new", "--token", "hf_wrong"], "Invalid credentials"),
        (["predict", "--model", "kim/missing", "영화"], "kim/missing"),
        (["predict", "--model", "kim/behind-a-door", "--token", "hf_lee", "영화"], "private"),
    ],
    ids=["no folder", "unknown token", "no such model", "private model"],
)
def test_the_command_explains_what_goes_wrong_in_one_line(here, trained, arguments, says):
    here(push, trained, "kim/behind-a-door", private=True)
    code, output, errors = here(command, *(argument.format(trained=trained) for argument in arguments))
    assert code == 1
    assert output == ""
    assert errors.startswith("okt-lstm: error: ")
    assert errors.count("\n") == 1
    assert says in errors


def test_the_command_predicts_by_a_model_of_the_hub(here, repo, answers):
    code, output, _ = here(command, "predict", "--model", repo, TEXTS[0], TEXTS[1])
    assert code == 0
    assert [line.split("\t")[0] for line in output.splitlines()] == answers["labels"][:2]
