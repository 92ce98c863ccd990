"""Check the paths of a command line before seconds of imports."""

import glob
from pathlib import Path
from typing import Any

from oktane.paths import find_files

from ..atomic import FileError, target_path
from ..data.options import is_local
from ..training.tagging_options import NEW_TOKENIZERS


def check_paths(options: dict[str, Any]) -> None:
    """Answer a mistyped path before seconds of imports. What the files hold is looked at later.

    Raises:
        FileError: If a file is missing, or the folder of an output file.
        FileExistsError: If the output folder holds an earlier run.
        LoadError: If there is no such model, or no such data set.
        NotADirectoryError: If the output folder is a file.
    """
    for name in ("embeddings", "user_dictionary"):
        path = options.get(name)
        if isinstance(path, str) and not Path(path).expanduser().exists():
            raise FileError(f"{path}: no such file (--{name})")
    # Taggers of spaces read several files as one data set.
    several = isinstance(options.get("dataset"), list)
    for name in ("validation_file", "test_file", "unlabeled", "input", *(["dataset"] if several else [])):
        files = options.get(name)
        if files is not None and not (name == "unlabeled" and files in ("nsmc", ["nsmc"])):
            try:
                find_files(files)
            except FileError as exception:
                raise FileError(f"{exception} (--{name})") from None
    dataset, data_dir = None if several else options.get("dataset"), options.get("data_dir")
    if dataset == "nsmc" and data_dir is not None and not Path(data_dir).expanduser().is_dir():
        raise FileError(f"{data_dir}: no such folder (--data_dir)")
    if dataset is not None and is_local(dataset) and not Path(dataset).expanduser().exists():
        if not glob.has_magic(dataset):
            raise FileError(f"{dataset}: no such file or folder (--dataset)")
        find_files(dataset)
    if options.get("output") is not None:
        target_path(options["output"])
    if "output_dir" in options and not options.get("resume_from_checkpoint"):
        from ..training.output_folder import refuse_overwrite

        refuse_overwrite(Path(options["output_dir"]), overwrite=options.get("overwrite_output_dir", False))
    if dataset is not None and dataset not in ("nsmc", "sample") and not is_local(dataset):
        from ..hub import check_dataset

        check_dataset(dataset)
    teachers = options.get("teacher", [])
    teachers = [teachers] if isinstance(teachers, str) else teachers
    models: list[tuple[str, str]] = [("teacher", name) for name in teachers]
    models += [(name, options[name]) for name in ("pretrained", "tokenizer") if name in options]
    models = [(option, name) for option, name in models if option != "tokenizer" or name not in NEW_TOKENIZERS]
    for option, name in models:
        from ..hub import LoadError, model_file
        from ..training.options import pretrained_folder

        try:
            model_file(pretrained_folder(name) or name if option == "pretrained" else name, "config.json", None, None)
        except LoadError as exception:
            raise LoadError(f"--{option}: {exception}") from None
