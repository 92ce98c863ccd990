"""One file down from the Hugging Face Hub, one trained folder up.

Of a folder, only what another person needs is uploaded: weights (safetensors), configuration, tokenizer, the code that
`trust_remote_code=True` runs, the model card, results and plots. Checkpoints, logs and pickles stay where they are.

What takes seconds to import is imported where it is needed: a mistyped folder is answered at once.
"""

import json
from pathlib import Path
from typing import Any

from huggingface_hub import (
    CommitOperationAdd,
    HfApi,
    get_hf_file_metadata,
    get_token,
    hf_hub_download,
    hf_hub_url,
)
from huggingface_hub.constants import HF_HUB_CACHE

# HTTPError is the base class of whichever HTTP library huggingface_hub uses.
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.file_download import repo_folder_name

from oktane.folders import LoadError as LoadError
from oktane.folders import local_folder
from oktane.hub import hub_is_unreachable, load_errors

SHARED_SUFFIXES = frozenset({".json", ".safetensors", ".md", ".png"})


def model_file(name: str, file: str, revision: str | None, token: str | bool | None) -> Path | None:
    """Find a file of a local folder, or download it from a Hub repository.

    Args:
        name: The folder, or the id of the repository.
        file: The name of the file.
        revision: A branch, tag or commit of the repository.
        token: A token for the Hub; by default, that of `hf auth login` or of HF_TOKEN.

    Returns:
        The path; None if the folder or the repository has no such file.

    Raises:
        LoadError: There is no such folder or repository, or it may not be read; the message says what to do.
    """
    folder = local_folder(name)
    if folder is not None:
        return folder / file if (folder / file).is_file() else None
    with load_errors(name, revision):
        try:
            offline = hub_is_unreachable(name, revision, token)
            return Path(hf_hub_download(name, file, revision=revision, token=token, local_files_only=offline))
        except LocalEntryNotFoundError:
            raise
        except EntryNotFoundError:
            return None


def check_dataset(name: str) -> None:
    """Ask the Hub once for a data set.

    For one that is missing, or without a connection, `datasets` asks again and again, for half a minute.

    Raises:
        LoadError: There is no such data set, or the Hub can't be asked and the data set is not in the cache.
    """
    if "/" not in name:
        reason = "a data set on the Hugging Face Hub is named owner/name"
    else:
        reason = "no such data set on the Hugging Face Hub; if it is a private one, log in with `hf auth login`"
    try:
        get_hf_file_metadata(hf_hub_url(name, "README.md", repo_type="dataset"))
    except (EntryNotFoundError, GatedRepoError):
        return
    except (HFValidationError, RepositoryNotFoundError):
        raise LoadError(f"{name}: no such file or folder; {reason}") from None
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError) as exception:
        if isinstance(exception, HfHubHTTPError) and exception.response.status_code < 500:
            return
        # Where `datasets` puts what it downloads.
        if (Path(HF_HUB_CACHE) / repo_folder_name(repo_id=name, repo_type="dataset")).is_dir():
            return
        if "/" in name:
            reason = "the Hugging Face Hub can't be asked for it (no connection, or HF_HUB_OFFLINE is set)"
        raise LoadError(f"{name}: no such file or folder; {reason}") from None


def push(
    folder: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    token: str | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
) -> str:
    """Upload a trained folder to the Hub in one commit; the repository and the branch are created if necessary.

    Args:
        folder: What training, or `save_pretrained` of model and tokenizer, left, with a model card `README.md`.
        repo_id: `owner/name`, or `name` for one of your own repositories.
        private: Whether to create a private repository.
        token: A Hub token with write access; by default, that of `hf auth login` or of HF_TOKEN.
        revision: The branch to push to; by default, the main one.
        commit_message: The commit message; by default, "Upload <type of model>".

    Returns:
        The address of the model's page.

    Raises:
        OSError: The folder is missing or incomplete (FileNotFoundError), the user may not push there (PermissionError),
            the Hub can't be reached (ConnectionError) or fails.
        ValueError: A file of the folder or an argument is wrong; the message says which and why.
    """
    folder = Path(folder)
    if not (token or get_token()):
        raise PermissionError(
            "not logged in to the Hugging Face Hub: run `hf auth login`, set HF_TOKEN or give a token"
        )
    files = shared_files(folder)
    api = HfApi(token=token, library_name="okt-lstm")
    model_type = _read_json(folder / "config.json")["model_type"]
    try:
        repo_id = api.create_repo(repo_id, private=private or None, exist_ok=True).repo_id
        if private and not api.model_info(repo_id).private:
            raise PermissionError(
                f"{repo_id} exists and is public: nothing was pushed. Make it private in its settings, choose another "
                "name, or push without asking for a private repository"
            )
        if revision:
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        api.create_commit(
            repo_id,
            [CommitOperationAdd(path.name, path) for path in files],
            commit_message=commit_message or f"Upload {model_type}",
            revision=revision,
        )
    except HfHubHTTPError as error:
        said = error.server_message or str(error)
        if error.response.status_code in (401, 403):
            raise PermissionError(
                f"the Hub refuses to let this token write to {repo_id}: {said}. Check the name, and that the token "
                "(`hf auth whoami` says whose it is) has write access"
            ) from error
        raise OSError(f"the Hub could not take {folder} into {repo_id}: {said}") from error
    except HTTPError as error:
        raise ConnectionError(f"the Hub at {api.endpoint} can't be reached: {error}") from error
    return f"{api.endpoint}/{repo_id}" + (f"/tree/{revision}" if revision else "")


def shared_files(folder: Path) -> list[Path]:
    """Check that a folder holds a complete model, and list its files to share.

    Args:
        folder: A trained folder. Its subfolders (checkpoints, logs) are not shared.

    Returns:
        The files to upload, sorted by name.

    Raises:
        FileNotFoundError: The folder or a part of the model is missing; the message says what makes it.
        ValueError: A file is damaged, or the model is not one of this package.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the --output_dir of `okt-lstm train`")
    config = _read_json(_existing(folder / "config.json", "train a model with `okt-lstm train`"))
    from .models.configuration_lstm import MODEL_TYPES
    from .models.tokenization_okt import USER_DICTIONARY_FILE

    if config.get("model_type") not in MODEL_TYPES:
        raise ValueError(
            f"{folder / 'config.json'}: model_type is {config.get('model_type')!r}, but only {', '.join(MODEL_TYPES)} "
            "are pushed; for other models use their own push_to_hub"
        )
    tokenizer_config = _read_json(_existing(folder / "tokenizer_config.json", _SAVE_TOKENIZER))
    _existing(folder / "tokenizer.json", _SAVE_TOKENIZER)
    _existing(folder / "README.md", "a model is shared with a model card: `okt-lstm train` writes one")
    _check_weights(folder)
    code = _remote_code(folder, config) | _remote_code(folder, tokenizer_config)
    shared = {
        path
        for path in folder.iterdir()
        if path.is_file() and (path.suffix in SHARED_SUFFIXES or path.name == USER_DICTIONARY_FILE)
    }
    return sorted(shared | code)


_SAVE_MODEL = "save the model with save_pretrained()"
_SAVE_TOKENIZER = "save the model's tokenizer beside it with save_pretrained()"


def _existing(path: Path, remedy: str) -> Path:
    if not path.is_file():
        raise FileNotFoundError(f"{path.parent} holds no complete model: {path.name} is missing; {remedy}")
    return path


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(value, dict):
        raise ValueError(f"{path} is damaged: it holds no JSON object")
    return value


def _check_weights(folder: Path) -> None:
    """Check that all safetensors files are there and can be opened."""
    from safetensors import SafetensorError, safe_open
    from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

    index = folder / SAFE_WEIGHTS_INDEX_NAME
    if index.is_file():
        weights = [folder / name for name in set(_read_json(index).get("weight_map", {}).values())]
    else:
        weights = [folder / SAFE_WEIGHTS_NAME]
    for path in weights:
        try:
            with safe_open(_existing(path, _SAVE_MODEL), framework="np"):
                pass
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged: {error}") from error


def _remote_code(folder: Path, config: dict[str, Any]) -> set[Path]:
    """Find the Python files that `auto_map` of a configuration names, and those that they import."""
    from transformers.dynamic_module_utils import get_relative_imports

    references = config.get("auto_map", {}).values()
    # A tokenizer's entry is a pair, slow and fast class, of which one may be null.
    classes = {name for entry in references for name in (entry if isinstance(entry, list) else [entry]) if name}
    if not classes:
        raise ValueError(
            f"{folder} names no code in auto_map, so that nobody could load it without okt-lstm: save model and "
            "tokenizer with save_pretrained() after `import okt_lstm`"
        )
    files: set[Path] = set()
    modules = {name.split(".")[0] for name in classes}
    while modules:
        path = _existing(folder / f"{modules.pop()}.py", _SAVE_MODEL)
        files.add(path)
        modules |= set(get_relative_imports(path)) - {file.stem for file in files}
    return files
