"""A command that is killed at any moment leaves nothing half and loses nothing; the next run ends as if nothing was."""

import multiprocessing
import shutil

import pytest
from kills import KINDS, Runner, killed_and_repeated, save_inputs

pytestmark = pytest.mark.skipif(
    "forkserver" not in multiprocessing.get_all_start_methods(), reason="a new interpreter takes seconds"
)


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    save_inputs(folder)
    return Runner(folder, tmp_path_factory.mktemp("scratch"))


def kill(runner, kind, seeds, folder):
    for seed in seeds:
        killed_and_repeated(runner, kind, seed, folder / f"{kind.name}-{seed}")
        shutil.rmtree(folder / f"{kind.name}-{seed}")


# 20 in all, the same ones each time.
@pytest.mark.release
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_killed_command_leaves_nothing_half_and_is_repeated_to_the_same_result(runner, kind, tmp_path):
    kill(runner, kind, range(2 if kind.is_run else 3), tmp_path)


# 200 in all.
@pytest.mark.release
@pytest.mark.parametrize("block", range(5))
@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_commands_killed_often_leave_nothing_half_and_are_repeated_to_the_same_result(runner, kind, block, tmp_path):
    kill(runner, kind, range(100 + 5 * block, 105 + 5 * block), tmp_path)
