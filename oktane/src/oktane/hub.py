"""Download models from the Hugging Face Hub. It needs huggingface_hub, which the extra `oktane[hub]` brings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from huggingface_hub import get_hf_file_metadata, hf_hub_url, snapshot_download

# HTTPError is the base class of whichever HTTP library huggingface_hub uses.
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .folders import LoadError


def download_folder(name: str, files: Sequence[str], revision: str | None, token: str | bool | None) -> Path:
    """Download some files of a repository, all of one commit; see `oktane.folders.hub_folder`."""
    with load_errors(name, revision):
        offline = hub_is_unreachable(name, revision, token)
        return Path(
            snapshot_download(
                name, revision=revision, token=token, allow_patterns=list(files), local_files_only=offline
            )
        )


def hub_is_unreachable(name: str, revision: str | None, token: str | bool | None) -> bool:
    """Ask the Hub once for a repository, to know whether it answers at all.

    Without a connection, huggingface_hub and transformers ask again and again, for half a minute, for each file that
    is not in the cache. With `local_files_only=True` they look into the cache alone.

    Raises:
        HFValidationError: The name is not the id of a repository.
    """
    try:
        get_hf_file_metadata(hf_hub_url(name, "config.json", revision=revision), token=token)
    except HfHubHTTPError as error:
        return error.response.status_code >= 500
    except (HTTPError, OfflineModeIsEnabled):
        return True
    return False


@contextmanager
def load_errors(name: str, revision: str | None) -> Iterator[None]:
    """Turn what huggingface_hub raises about a repository into a LoadError that says what to do."""
    log_in = "log in with `hf auth login`, or give a token"
    try:
        yield
    except HFValidationError:
        raise LoadError(f"{name}: no such folder") from None
    except GatedRepoError:
        raise LoadError(f"{name}: ask for access on its page, https://huggingface.co/{name}; then {log_in}") from None
    except RepositoryNotFoundError:
        raise LoadError(
            f"{name}: no such folder, and no such repository on the Hugging Face Hub; if it is a private one, {log_in}"
        ) from None
    except RevisionNotFoundError:
        raise LoadError(f"{name} has no revision {revision!r} on the Hugging Face Hub") from None
    except LocalEntryNotFoundError:
        raise LoadError(
            f"{name}: no such folder, and the Hugging Face Hub can't be asked for it (no connection, or HF_HUB_OFFLINE "
            "is set)"
        ) from None
    except (HfHubHTTPError, OfflineModeIsEnabled, HTTPError) as exception:
        raise LoadError(f"{name}: the Hugging Face Hub failed: {exception}") from None
