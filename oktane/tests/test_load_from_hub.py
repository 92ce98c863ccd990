"""`oktane.load` takes models from the Hub, here from a stand-in on loopback, with huggingface_hub alone."""

import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

hub_server = pytest.importorskip("hub_server", reason="it is in the repository's tests")
constants = pytest.importorskip("huggingface_hub.constants")
pytest.importorskip("okt_lstm")

from trained_folders import TEXTS, save  # noqa: E402

import oktane  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:.*other word lists")

# Labels a text where nothing but numpy and huggingface_hub is installed.
ALONE = """
import sys

class Forbid:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("okt_lstm", "torch", "transformers", "tokenizers", "safetensors", "konlpy"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Forbid())
import oktane
print(oktane.load(sys.argv[1]).predict("최고"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A trained folder with files that nobody has to download to predict."""
    folder = save(tmp_path_factory.mktemp("trained"))
    (folder / "user_dictionary.txt").write_text("덕질\tNoun\n", encoding="utf-8")
    (folder / "README.md").write_text("# A card\n")
    (folder / "curves.png").write_bytes(b"png")
    return folder


@pytest.fixture(scope="module")
def hub(folder):
    """A server with the folder as a public and as a private repository; the branch `empty` has no files."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with hub_server.HubServer(users={"hf_kim": "kim"}) as server:
        server.repositories["kim/reviews"] = hub_server.Repository(False, {"main": files, "empty": {}})
        server.repositories["kim/quiet"] = hub_server.Repository(True, {"main": files})
        yield server


def set_endpoint(monkeypatch, endpoint):
    """Set what the client took from the environment when it was imported."""
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + template[template.index("/{repo_id}") :])


@pytest.fixture(autouse=True)
def client(hub, tmp_path, monkeypatch):
    """The client of this process asks the server, without a token and with an empty cache."""
    for name, value in hub.environment(tmp_path / "home").items():
        monkeypatch.setenv(name, value)
    set_endpoint(monkeypatch, hub.endpoint)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "home" / "token"))
    monkeypatch.chdir(tmp_path)


def assert_loads(name, folder, **options):
    assert (oktane.load(name, **options).logits(TEXTS) == oktane.load(folder).logits(TEXTS)).all()


def test_a_repository_is_loaded_like_the_folder_and_only_what_is_read_is_downloaded(folder):
    assert_loads("kim/reviews", folder)
    assert {path.name for path in oktane.load("kim/reviews").folder.iterdir()} == {
        "config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "user_dictionary.txt",
    }


def test_it_needs_numpy_and_huggingface_hub_alone():
    done = subprocess.run([sys.executable, "-c", ALONE, "kim/reviews"], capture_output=True, text=True)
    assert done.stdout == f"{oktane.load('kim/reviews').predict('최고')}\n", done.stderr


def test_a_pickled_model_is_loaded_at_its_commit_wherever_the_branch_is_by_then(hub):
    files = hub.files("kim/reviews")
    hub.repositories["kim/moving"] = hub_server.Repository(False, {"main": files})
    original = oktane.load("kim/moving", token="hf_kim", max_length=3)
    pickled = pickle.dumps(original)
    assert b"hf_kim" not in pickled
    hub.repositories["kim/moving"].branches = {"main": {"config.json": b"{}"}, "old": files}
    shutil.rmtree(constants.HF_HUB_CACHE)
    copy = pickle.loads(pickled)
    assert copy.max_length == 3
    assert (copy.logits(TEXTS) == original.logits(TEXTS)).all()


def test_a_private_repository_needs_a_token(folder):
    with pytest.raises(oktane.LoadError, match="log in with `hf auth login`"):
        oktane.load("kim/quiet")
    assert_loads("kim/quiet", folder, token="hf_kim")


@pytest.mark.parametrize(
    ("name", "revision", "message"),
    [
        ("kim/nothing", None, "kim/nothing: no such folder, and no such repository"),
        ("kim/reviews", "v9", "kim/reviews has no revision 'v9'"),
        ("kim/reviews", "empty", r"has no config\.json"),
        ("kim/not a name", None, "kim/not a name: no such folder"),
        ("reviews", None, "reviews: no such folder .*owner/name"),
        ("kim/reviews.csv", None, r"kim/reviews\.csv: no such folder .*owner/name"),
    ],
)
def test_what_is_not_there_is_named(name, revision, message):
    with pytest.raises(oktane.LoadError, match=message):
        oktane.load(name, revision=revision)


def test_without_a_connection_the_cache_serves(folder, monkeypatch):
    oktane.load("kim/reviews")
    set_endpoint(monkeypatch, "http://127.0.0.1:9")
    assert_loads("kim/reviews", folder)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert_loads("kim/reviews", folder)
    shutil.rmtree(constants.HF_HUB_CACHE)
    for offline in (True, False):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
        with pytest.raises(oktane.LoadError, match=r"no such folder, and .* can't be asked for it \(no connection"):
            oktane.load("kim/reviews")


def test_without_the_extra_the_error_names_what_to_install(monkeypatch):
    monkeypatch.delitem(sys.modules, "oktane.hub", raising=False)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(oktane.LoadError, match=r"^kim/reviews: no such folder, .*pip install 'oktane\[hub\]'$"):
        oktane.load("kim/reviews")


def test_a_local_folder_of_that_name_comes_first(folder):
    shutil.copytree(folder, "kim/reviews")
    assert oktane.load("kim/reviews").folder == Path.cwd() / "kim/reviews"
