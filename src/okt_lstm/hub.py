"""One file down from the Hugging Face Hub, one trained folder up.

Of a folder, only what another person needs is uploaded, by name: weights (safetensors), configuration, tokenizer, the
code that `trust_remote_code=True` runs, the model card, results and plots. Whatever else is in the folder stays there,
and no path of this machine is in what is uploaded.

What takes seconds to import is imported where it is needed: a mistyped folder is answered at once.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePath
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

from .data.options import is_local
from .model_files import MODEL_FILES, RECORD_FILES

SHARED_FILES = (*MODEL_FILES, *RECORD_FILES, "generation_config.json")
"""The files of a folder that are uploaded, besides the code that its configurations name."""


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
    include: Sequence[str] = (),
) -> str:
    """Upload a trained folder to the Hub in one commit; the repository and the branch are created if necessary.

    Args:
        folder: What training, or `save_pretrained` of model and tokenizer, left, with a model card `README.md`.
        repo_id: `owner/name`, or `name` for one of your own repositories.
        private: Whether to create a private repository.
        token: A Hub token with write access; by default, that of `hf auth login` or of HF_TOKEN.
        revision: The branch to push to; by default, the main one.
        commit_message: The commit message; by default, "Upload <type of model>".
        include: Names of further files of the folder to upload, such as `["LICENSE"]`.

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
    files = shared_files(folder, include)
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
            [CommitOperationAdd(name, _without_paths(folder, name)) for name in files],
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


def shared_files(folder: Path, include: Sequence[str] = ()) -> list[str]:
    """Check that a folder holds a complete model, and list its files to share.

    Args:
        folder: A trained folder.
        include: Names of further files.

    Returns:
        The names of the files to upload, sorted.

    Raises:
        FileNotFoundError: The folder, a part of the model or a further file is missing; the message says what to do.
        ValueError: A file is damaged or not in the folder, or the model is not one of this package.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder: give the --output_dir of `okt-lstm train`")
    config = _read_json(_existing(folder / "config.json", "train a model with `okt-lstm train`"))
    from .models.configuration_lstm import MODEL_TYPES

    if config.get("model_type") not in MODEL_TYPES:
        raise ValueError(
            f"{folder / 'config.json'}: model_type is {config.get('model_type')!r}, but only {', '.join(MODEL_TYPES)} "
            "are pushed; for other models use their own push_to_hub"
        )
    tokenizer_config = _read_json(_existing(folder / "tokenizer_config.json", _SAVE_TOKENIZER))
    _existing(folder / "tokenizer.json", _SAVE_TOKENIZER)
    _existing(folder / "README.md", "a model is shared with a model card: `okt-lstm train` writes one")
    for name in include:
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
        if not inside or not (folder / name).is_file():
            raise ValueError(f"{name}: no such file in {folder} (--include)")
    names = {name for name in SHARED_FILES if (folder / name).is_file()}
    code = _remote_code(folder, config) | _remote_code(folder, tokenizer_config)
    return sorted({*names, *_check_weights(folder), *code, *(Path(name).as_posix() for name in include)})


def _without_paths(folder: Path, name: str) -> Path | bytes:
    """Return what to upload of a file: the file, or its content without paths of this machine."""
    path = folder / name
    if name == "data_args.json":
        options = _read_json(path)
        options.pop("data_dir", None)
        for option in ("dataset", "validation_file", "test_file"):
            if isinstance(value := options.get(option), str) and is_local(value):
                options[option] = PurePath(value).name
        return (json.dumps(options, ensure_ascii=False, indent=2) + "\n").encode()
    if name in ("README.md", "card.json"):
        # Where okt-lstm 0.1.0 noted the path of the user dictionary.
        noted = r'(\| user_dictionary \| `|"user_dictionary": ")[^`"\n]*[/\\]([^`"/\\\n]+)'
        content = path.read_bytes()
        changed = re.sub(noted, r"\1\2", content.decode("utf-8", "replace")).encode()
        return changed if re.search(noted.encode(), content) else path
    return path


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


def _check_weights(folder: Path) -> set[str]:
    """Check that all safetensors files are there and can be opened, and return their names."""
    from safetensors import SafetensorError, safe_open
    from transformers.utils import SAFE_WEIGHTS_INDEX_NAME, SAFE_WEIGHTS_NAME

    names, index = {SAFE_WEIGHTS_NAME}, folder / SAFE_WEIGHTS_INDEX_NAME
    files = set(names)
    if index.is_file():
        shards = _read_json(index).get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise ValueError(f"{index} is damaged: weight_map does not name files")
        names = set(shards.values())
        for name in names:
            if PurePath(name).name != name:
                raise ValueError(f"{index}: {name!r} is not a file of this folder")
        files = names | {SAFE_WEIGHTS_INDEX_NAME}
    for name in names:
        path = folder / name
        try:
            with safe_open(_existing(path, _SAVE_MODEL), framework="np"):
                pass
        except SafetensorError as error:
            raise ValueError(f"{path} is damaged: {error}") from error
    return files


def _remote_code(folder: Path, config: dict[str, Any]) -> set[str]:
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
    found: set[str] = set()
    modules = {name.split(".")[0] for name in classes}
    while modules:
        module = modules.pop()
        if not module.isidentifier():
            raise ValueError(f"{folder}: auto_map names {module!r}, which is not a module")
        found.add(module)
        modules |= set(get_relative_imports(_existing(folder / f"{module}.py", _SAVE_MODEL))) - found
    return {f"{module}.py" for module in found}
