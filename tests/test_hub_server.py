"""The stand-in of the Hub behaves as the real client expects; what the sharing tests show rests on this."""

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from hub_server import HubServer

CARD = b"---\nlanguage: ko\npipeline_tag: text-classification\n---\n# A model\n"
WEIGHTS = bytes(range(256)) * 1000


@pytest.fixture(scope="module")
def hub():
    with HubServer(users={"hf_kim": "kim", "hf_lee": "lee"}) as server:
        yield server


@pytest.fixture(scope="module")
def call(hub, tmp_path_factory):
    """Calls a method of HfApi as kim, or as another, in a process whose client was started for this Hub."""
    with pytest.MonkeyPatch.context() as patch, ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        for name, value in hub.environment(home=tmp_path_factory.mktemp("home")).items():
            patch.setenv(name, value)
        process.submit(os.getpid).result()  # starts the process, which keeps the environment of this moment

        def call(method, *arguments, token="hf_kim", **options):
            return process.submit(call_api, method, token, arguments, options).result()

        yield call


def call_api(method, token, arguments, options):
    """Runs in the client's process. Its errors are told by name, since they don't survive pickling."""
    from huggingface_hub import HfApi

    try:
        result = getattr(HfApi(token=token), method)(*arguments, **options)
        return list(result) if method == "list_repo_tree" else result
    except Exception as error:
        raise RuntimeError(f"{type(error).__name__}: {error}") from None


def commit(call, repo, files, delete=(), **options):
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    operations += [CommitOperationDelete(path) for path in delete]
    return call("create_commit", repo, operations, commit_message="Change files", **options)


@pytest.fixture(scope="module")
def repo(call):
    """A repository with a regular file, a large file and a folder."""
    repo = call("create_repo", "kim/model").repo_id
    commit(call, repo, {"README.md": CARD, "model.safetensors": WEIGHTS, "plots/loss.json": b"[]"})
    return repo


def test_the_token_tells_who_one_is(call):
    assert call("whoami")["name"] == "kim"
    with pytest.raises(RuntimeError, match="Invalid user token"):
        call("whoami", token="hf_wrong")


def test_creating_a_repository_twice_is_refused_unless_allowed(call, repo):
    with pytest.raises(RuntimeError, match="409"):
        call("create_repo", "kim/model")
    assert call("create_repo", "model", exist_ok=True).repo_id == "kim/model"


def test_committed_files_are_stored_as_they_were_sent(hub, call, repo):
    files = hub.files(repo)
    assert files["README.md"] == CARD
    assert files["model.safetensors"] == WEIGHTS
    entries = {entry.path: entry for entry in call("list_repo_tree", repo, recursive=True)}
    assert entries["model.safetensors"].lfs.size == len(WEIGHTS)
    assert entries["README.md"].lfs is None


def test_folders_are_listed_one_by_one_or_at_once(call, repo):
    assert "plots/loss.json" in call("list_repo_files", repo)
    assert {entry.path for entry in call("list_repo_tree", repo)} >= {"README.md", "plots"}
    assert [entry.path for entry in call("list_repo_tree", repo, "plots")] == ["plots/loss.json"]
    with pytest.raises(RuntimeError, match="EntryNotFoundError"):
        call("list_repo_tree", repo, "nothing")


@pytest.mark.parametrize("path", ["README.md", "model.safetensors", "plots/loss.json"])
def test_a_file_comes_down_as_it_went_up(hub, call, repo, path):
    assert Path(call("hf_hub_download", repo, path)).read_bytes() == hub.files(repo)[path]


def test_a_missing_file_and_a_missing_revision_are_told_apart(call, repo):
    with pytest.raises(RuntimeError, match="RemoteEntryNotFoundError"):
        call("hf_hub_download", repo, "missing.json")
    with pytest.raises(RuntimeError, match="RevisionNotFoundError"):
        call("hf_hub_download", repo, "README.md", revision="missing")


def test_a_snapshot_holds_all_files(hub, call, repo):
    folder = Path(call("snapshot_download", repo))
    found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert found == set(hub.files(repo))


def test_old_versions_stay_under_their_commit_and_tag(call):
    repo = call("create_repo", "kim/versions").repo_id
    first = commit(call, repo, {"a.txt": b"first", "b.txt": b"gone soon"}).oid
    call("create_tag", repo, tag="v1")
    call("create_branch", repo, branch="old")
    commit(call, repo, {"a.txt": b"second"}, delete=["b.txt"])
    for revision, content in [("main", "second"), (first, "first"), ("v1", "first"), ("old", "first")]:
        assert Path(call("hf_hub_download", repo, "a.txt", revision=revision)).read_text() == content
    assert not call("file_exists", repo, "b.txt")
    assert call("file_exists", repo, "b.txt", revision="v1")


def test_an_unchanged_commit_is_not_made(call, repo):
    before = call("model_info", repo).sha
    assert commit(call, repo, {"README.md": CARD, "model.safetensors": WEIGHTS}).oid == before


def test_a_private_repository_exists_for_its_owner_only(call):
    repo = call("create_repo", "kim/secret", private=True).repo_id
    commit(call, repo, {"README.md": CARD})
    assert call("model_info", repo).private
    for stranger in ("hf_lee", False):
        for question in (("model_info", repo), ("hf_hub_download", repo, "README.md")):
            with pytest.raises(RuntimeError, match=r"^RepositoryNotFoundError"):
                call(*question, token=stranger)


def test_a_gated_repository_shows_its_page_and_keeps_its_files(hub, call):
    repo = call("create_repo", "kim/gated").repo_id
    commit(call, repo, {"README.md": CARD})
    hub.repositories[repo].gated = True
    assert call("model_info", repo, token="hf_lee").gated
    with pytest.raises(RuntimeError, match=r"^GatedRepoError"):
        call("hf_hub_download", repo, "README.md", token="hf_lee")


def test_only_the_owner_writes(call, repo):
    with pytest.raises(RuntimeError, match="403"):
        commit(call, repo, {"a.txt": b""}, token="hf_lee")
    with pytest.raises(RuntimeError, match="403"):
        call("create_repo", "lee/model")


def test_a_card_with_broken_metadata_is_refused(call, repo):
    with pytest.raises(RuntimeError, match="Invalid metadata in README"):
        commit(call, repo, {"README.md": b"---\nlanguage: [ko\n---\n"})


def test_the_card_tells_the_task(call, repo):
    assert call("model_info", repo).pipeline_tag == "text-classification"


def test_a_deleted_repository_is_gone(call):
    repo = call("create_repo", "kim/gone").repo_id
    call("delete_repo", repo)
    assert not call("repo_exists", repo)
