"""Ctrl-C ends the work within half a second, on one thread and on several, whatever the length of its texts."""

import os
import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it reads processor times from /proc")

PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
import oktane
work = {work}
texts = {texts}
work(["영화", "최고"])
print("ready", flush=True)
work(texts)
"""
WORK = {
    "encode": "oktane.load_encoder(num_threads={threads}, max_length=10**9).encode",
    "normalize_batch": "oktane.Okt(threads={threads}).normalize_batch",
    "predict": "oktane.load(num_threads={threads}).predict",
    "morphs_batch": "oktane.Okt(threads={threads}).morphs_batch",
}
TEXTS = {
    "short": "['그저 그런 영화였어요. 두 번은 안 볼 것 같아요'] * 2_000_000",
    "long": "['그저 그런 영화였어요. 두 번은 안 볼 것 같아요 ' * 1000] * 5_000",
    "huge": "['그저 그런 영화였어요. 두 번은 안 볼 것 같아요 ' * 700_000] * 2",
    "unbroken": "['그저그런영화였어요두번은안볼것같아요' * 1_000_000] * 2",
    "of addresses": "['http://a.com/(b)?c=d#e@f.g' * 700_000] * 2",
}


def processor_seconds(pid):
    """What a process has used so far."""
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("texts", TEXTS)
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("work", WORK)
def test_interrupted_work_ends_within_half_a_second(work, threads, texts):
    program = PROGRAM.format(work=WORK[work].format(threads=threads), texts=TEXTS[texts])
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    begun = processor_seconds(process.pid)
    while processor_seconds(process.pid) < begun + 0.3:
        assert process.poll() is None
    at_signal = processor_seconds(process.pid)
    process.send_signal(signal.SIGINT)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert error.rstrip().endswith(b"KeyboardInterrupt")
    # Of the processor, not of the clock: a busy machine must not fail the test.
    assert usage.ru_utime + usage.ru_stime - at_signal < 0.5 * threads
