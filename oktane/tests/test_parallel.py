"""Cores are counted as the container grants them, and threads keep the order."""

import math
import os
import time

import pytest

from oktane import available_cores, parallel


def cgroups(root, membership, files):
    """Write what Linux shows of a process's control groups."""
    for name, content in {
        "proc/self/cgroup": membership,
        **{f"sys/fs/cgroup/{k}": v for k, v in files.items()},
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


V1 = "12:memory:/docker/ab\n4:cpu,cpuacct:/docker/ab\n1:name=systemd:/x\n0::/docker/ab\n"


@pytest.mark.parametrize(
    ("membership", "files", "quota"),
    [
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, math.inf),
        ("0::/\n", {}, math.inf),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "max 100000\n"}, 2),
        ("0::/a/b\n", {"a/cpu.max": "200000 100000\n", "a/b/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/of/the/host\n", {"cpu.max": "300000 100000\n"}, 3),
        (V1, {"cpu/docker/ab/cpu.cfs_quota_us": "400000\n", "cpu/docker/ab/cpu.cfs_period_us": "100000\n"}, 4),
        (V1, {"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        (V1, {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ("0::/\n", {"cpu.max": "nonsense\n"}, math.inf),
    ],
)
def test_the_quota_is_the_smallest_of_the_groups_above(tmp_path, membership, files, quota):
    assert parallel._cgroup_quota(cgroups(tmp_path, membership, files)) == quota


def test_without_control_groups_there_is_no_quota(tmp_path):
    assert parallel._cgroup_quota(tmp_path) == math.inf


@pytest.mark.parametrize(("quota", "cores"), [(math.inf, 8), (2.0, 2), (1.5, 2), (0.1, 1), (100, 8)])
def test_a_quota_is_rounded_up_and_never_above_the_cores_that_the_process_may_run_on(monkeypatch, quota, cores):
    monkeypatch.setattr(os, "process_cpu_count", lambda: 8, raising=False)
    monkeypatch.setattr(parallel, "_cgroup_quota", lambda root: quota)
    assert available_cores() == cores


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this platform can't bind a process to cores")
def test_cores_that_the_process_may_not_run_on_are_not_counted():
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("count", [0, 1, 2, 100])
def test_a_map_in_threads_keeps_the_order(threads, count):
    assert list(parallel.map_in_threads(lambda x: x * x, iter(range(count)), threads)) == [x * x for x in range(count)]


def test_an_error_is_raised_without_the_items_that_no_thread_has_begun():
    begun = []

    def work(item):
        begun.append(item)
        if item == 0:
            raise RuntimeError("the first")
        time.sleep(0.1)

    with pytest.raises(RuntimeError, match="the first"):
        list(parallel.map_in_threads(work, range(1000), 2))
    assert len(begun) < 10


def test_a_list_of_texts_ends_by_their_number_or_by_their_characters():
    texts = ["짧다"] * 1000 + ["길" * 20_000] * 10 + ["아주 길" * 100_000] + ["짧다"] * 10
    lists = list(parallel.text_chunks(iter(texts), 300))
    assert [text for chunk in lists for text in chunk] == texts
    assert all(len(chunk) <= 300 for chunk in lists)
    assert all(sum(map(len, chunk[:-1])) < parallel.CHARACTERS for chunk in lists)
    assert len(lists) < 12
