import json
import multiprocessing
import os
from pathlib import Path

import pytest
from full_disk import full_disk

from okt_lstm.atomic import (
    FileError,
    remove_unfinished,
    replacing,
    replacing_files,
    replacing_folder,
    write_json,
    write_text,
)

# Larger than any process's number can be.
NOBODY = 999999999


def _fail(write, content, error):
    write(content)
    raise error


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with replacing(path) as stream:
        stream.write(b"new")
        stream.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as stream:
        _fail(stream.write, b"half", error)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_error_of_a_full_disk_names_what_was_written_and_the_old_one_stays(tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    write_text(file, "old")
    with replacing_folder(folder) as temporary:
        (temporary / "a").write_text("old")
    for path, write in (
        (file, lambda: write_text(file, "new" * 1000)),
        (folder, lambda: write_new(replacing_folder(folder))),
        (folder, lambda: write_new(replacing_files(folder))),
    ):
        with pytest.raises(OSError, match="too large") as error, full_disk():
            write()
        assert error.value.filename == str(path)
    assert (file.read_text(), (folder / "a").read_text()) == ("old", "old")
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "folder", "a"}


def write_new(opened):
    with opened as temporary:
        (temporary / "a").write_text("new" * 1000)


def test_a_file_gets_the_permissions_of_any_new_file(tmp_path):
    (tmp_path / "usual").touch()
    write_text(tmp_path / "atomic", "")
    assert (tmp_path / "atomic").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_symbolic_link_stays_one(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_text(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_where_nothing_can_be_written_the_error_says_why(tmp_path):
    with pytest.raises(FileError, match=r"missing/a.txt: the folder does not exist.*mkdir -p"):
        write_text(tmp_path / "missing" / "a.txt", "")
    with pytest.raises(FileError, match="not a regular file"):
        write_text(tmp_path, "")
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="not a folder"), replacing_folder(tmp_path / "file"):
        pass


def test_json_is_readable_korean_and_ends_with_a_line_end(tmp_path):
    write_json(tmp_path / "a.json", {"본문": [1]})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"본문": [1]}
    assert "본문" in text
    assert text.endswith("}\n")


def test_text_keeps_its_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "a\nb\r\n")
    assert (tmp_path / "a.txt").read_bytes() == b"a\nb\r\n"


def test_a_folder_appears_only_when_it_is_complete_and_replaces_all_of_the_older_one(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    with replacing_folder(target) as folder:
        (folder / "new").touch()
        assert [path.name for path in target.iterdir()] == ["old"]
    assert [path.name for path in target.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_the_older_folder(tmp_path):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(ValueError, match="failed"), replacing_folder(target) as folder:
        _fail((folder / "new").write_text, "half", ValueError("failed"))
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_an_older_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    target = tmp_path / "folder"
    target.mkdir()
    (target / "old").touch()
    rename = Path.rename

    def fail_with_the_new_one(path, to):
        if path.suffix == ".tmp":
            raise OSError("failed")
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", fail_with_the_new_one)
    with pytest.raises(OSError, match="failed"), replacing_folder(target):
        pass
    assert [path.name for path in target.iterdir()] == ["old"]
    assert list(tmp_path.iterdir()) == [target]


def test_files_join_those_of_a_folder_only_when_all_are_complete(tmp_path):
    for name in ("kept", "replaced"):
        (tmp_path / name).write_text("old")
    with pytest.raises(ValueError, match="failed"), replacing_files(tmp_path) as folder:
        _fail((folder / "replaced").write_text, "half", ValueError("failed"))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"kept": "old", "replaced": "old"}
    with replacing_files(tmp_path) as folder:
        (folder / "replaced").write_text("new")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"kept": "old", "replaced": "new"}


def test_what_a_killed_process_was_writing_is_removed_by_the_next_that_writes_there(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / f".{name}.{NOBODY}-0a1b2c3d.tmp").write_text("half")
    write_text(tmp_path / "a.txt", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", f".b.txt.{NOBODY}-0a1b2c3d.tmp"}
    remove_unfinished(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt"}


@pytest.mark.parametrize(
    "name", [".a.txt.OURS-0a1b2c3d.tmp", ".a.txt.1.tmp", ".bashrc", ".a.tmp", f"a.{NOBODY}.tmp", ".tmp"]
)
def test_what_a_running_process_writes_and_what_no_process_of_ours_wrote_stays(tmp_path, name):
    name = name.replace("OURS", str(os.getpid()))
    (tmp_path / name).write_text("precious")
    remove_unfinished(tmp_path)
    assert (tmp_path / name).read_text() == "precious"


def test_a_folder_that_a_killed_process_was_replacing_comes_back(tmp_path):
    older = tmp_path / f".folder.{NOBODY}-0a1b2c3d.old"
    older.mkdir()
    (older / "model").write_text("old")
    remove_unfinished(tmp_path)
    assert (tmp_path / "folder" / "model").read_text() == "old"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_the_umask_says_who_may_read_the_files_of_a_folder(tmp_path, umask, mode):
    previous = os.umask(umask)
    try:
        with replacing_files(tmp_path) as folder:
            (folder / "weights").touch(0o600)
            (folder / "checkpoint").mkdir()
            (folder / "checkpoint" / "weights").touch(0o600)
        with replacing_folder(tmp_path / "copy") as folder:
            (folder / "weights").touch(0o600)
    finally:
        os.umask(previous)
    for name in ("weights", "checkpoint/weights", "copy/weights"):
        assert (tmp_path / name).stat().st_mode & 0o777 == mode


def _write_many(path: Path) -> None:
    for _ in range(200):
        write_text(path, f"{os.getpid()} " * 1000)


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="a new interpreter takes seconds")
def test_two_processes_that_write_at_once_leave_one_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    processes = [multiprocessing.get_context("fork").Process(target=_write_many, args=(path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    words = path.read_text().split()
    assert len(words) == 1000
    assert len(set(words)) == 1
    assert list(tmp_path.iterdir()) == [path]
