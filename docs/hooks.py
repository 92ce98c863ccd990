"""What the pages need from the rest of the repository.

A page links to files outside `docs/` by relative paths, which work in the repository. On the site they become links to
the repository, except for the plot, which is copied.
"""

from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

PLOT = "../model_cards/benchmark/models.png"


def on_files(files: Files, config: Any) -> Files:
    """Add the plot to the files of the site."""
    plot = Path(config.docs_dir, PLOT).resolve()
    files.append(File.generated(config, plot.name, abs_src_path=str(plot)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Turn links that leave `docs/` into links to the repository."""
    return markdown.replace(f"({PLOT})", f"({Path(PLOT).name})").replace("](../", f"]({config.repo_url}/blob/main/")
