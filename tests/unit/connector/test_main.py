"""The connector as a process: how it lives, and above all how it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from app.connector import frames
from app.connector.command import MEMORY_VARIABLE, connector_environment
from app.connector.pipes import SAMPLE_BYTES
from app.model.values import Quality
from tests.unit.connector.conftest import COMMAND, ROOT, Child


def test_that_it_ends_within_two_seconds_when_its_input_closes(child: Child) -> None:
    child.open()
    child.close_stdin()
    assert child.ended_within(2) < 2
    assert child.process.returncode == 0


def test_that_it_ends_within_two_seconds_when_a_library_blocks_it_for_ever(child: Child) -> None:
    child.open()
    child.do("hang")
    time.sleep(0.2)  # the request has to reach the loop; being late only makes the test easier
    child.close_stdin()
    child.ended_within(2)


def test_that_it_ends_when_asked_to(child: Child) -> None:
    child.open()
    child.send(frames.Close())
    child.ended_within(2)


@pytest.mark.skipif(os.name == "nt", reason="a parent that is killed there ends its pipes in the same way, but kill -9 is none")
def test_that_it_ends_when_its_parent_is_killed() -> None:
    code = (
        f"import subprocess, sys, time; p = subprocess.Popen({COMMAND!r}, stdin=subprocess.PIPE); print(p.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=connector_environment(), stdout=subprocess.PIPE)
    assert parent.stdout is not None
    orphan = psutil.Process(int(parent.stdout.readline()))
    psutil.Process(parent.pid).kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 4
    while orphan.is_running() and orphan.status() != psutil.STATUS_ZOMBIE and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE


def test_that_what_a_library_prints_goes_to_the_log_and_not_between_the_frames(child: Child) -> None:
    child.open()
    child.do("print", token=1)
    answer = child.until(frames.Replied)
    assert isinstance(answer, frames.Replied)
    assert answer.token == 1
    child.close_stdin()
    child.process.wait(3)
    assert child.process.stderr is not None
    assert b"a library prints" in child.process.stderr.read()


def test_that_a_parent_that_does_not_read_does_not_make_it_grow(child: Child) -> None:
    child.open()
    child.watch(1, "v:1")
    child.until(frames.Items)
    child.do("flood")
    child.until(frames.Replied)
    before = child.rss()
    time.sleep(3)  # 600,000 samples, 25 MB, and nobody reads
    assert child.rss() - before < SAMPLE_BYTES + 16 * 2**20
    lost = child.until(frames.Gap)
    assert isinstance(lost, frames.Gap)
    assert lost.dropped > 100_000


def test_that_samples_it_dropped_are_exactly_those_that_are_missing(child: Child) -> None:
    child.open()
    child.watch(1, "v:1")
    child.until(frames.Samples)
    child.do("flood")
    child.until(frames.Replied)
    time.sleep(1.5)
    dropped, expected, seen_gap = 0, 0.0, False
    while not seen_gap or expected < 300_000:
        frame, columns = child.receive()
        if isinstance(frame, frames.Gap):
            dropped += frame.dropped
            seen_gap = True
        elif isinstance(frame, frames.Samples) and columns is not None:
            first = float(columns.number[0])
            assert first - expected == dropped
            dropped, expected = 0, float(columns.number[-1]) + 1
    assert seen_gap


def test_that_values_and_their_absence_are_told_apart(child: Child) -> None:
    child.open()
    for handle, address in enumerate(["v:2.5", "text:=1+1", "bad", "refused"]):
        child.watch(handle, address)
    got: dict[int, object] = {}
    refused: dict[int, str] = {}
    while len(got) < 3 or not refused:
        frame, columns = child.receive()
        if isinstance(frame, frames.Samples) and columns is not None:
            got.update({handle: (sample.value, sample.quality) for handle, sample in columns.samples()})
        elif isinstance(frame, frames.Items):
            refused.update({state.handle: state.refused for state in frame.states if state.refused})
    assert got == {0: (2.5, Quality.GOOD), 1: ("=1+1", Quality.GOOD), 2: (None, Quality.BAD)}
    assert refused == {3: "BadNodeIdUnknown (0x80340000)"}


@pytest.mark.parametrize(
    ("how", "why", "retry"),
    [
        ("refused", "BadRefused (0x1)", True),
        ("wrong", "the setting is wrong", False),
        ("bug", "ZeroDivisionError: a bug in a driver", True),
        ("slow", "no complete answer within 1 s", True),
    ],
)
def test_that_an_attempt_that_fails_says_why_and_whether_another_can_help(child: Child, how: str, why: str, retry: bool) -> None:
    failed = child.open(open=how)
    assert isinstance(failed, frames.Failed)
    assert (failed.failure.why, failed.retry) == (why, retry)
    assert isinstance(child.open(), frames.Opened)  # the next attempt has a session of its own


def test_that_requests_run_side_by_side_and_a_cancelled_one_says_so(child: Child) -> None:
    child.open()
    child.send(frames.Browse(token=1, nodes=("slow",)))
    child.send(frames.Browse(token=2, nodes=("x",)))
    quick = child.until(frames.Replied)
    assert isinstance(quick, frames.Replied)
    assert quick.token == 2
    assert quick.browse is not None
    assert quick.browse.id == ("x/a", "x/b", "x/c")
    child.send(frames.Cancel(token=1))
    slow = child.until(frames.Replied)
    assert isinstance(slow, frames.Replied)
    assert (slow.token, slow.done) == (1, True)
    assert slow.failure is not None
    assert slow.failure.what == "Cancelled"


def test_that_a_bug_in_a_request_is_an_answer_and_its_traceback_is_in_the_log(child: Child) -> None:
    child.open()
    child.do("fail", token=5)
    answer = child.until(frames.Replied)
    assert isinstance(answer, frames.Replied)
    assert answer.failure is not None
    assert answer.failure.why == "ZeroDivisionError: a bug in a driver"
    child.close_stdin()
    child.process.wait(3)
    assert child.process.stderr is not None
    assert b"in _fail" in child.process.stderr.read()


def test_that_a_request_without_a_session_says_so(child: Child) -> None:
    child.send(frames.Browse(token=1, nodes=("",)))
    answer = child.until(frames.Replied)
    assert isinstance(answer, frames.Replied)
    assert answer.failure is not None
    assert answer.failure.what == "Not connected"


def test_that_the_reason_of_a_loss_is_told_and_another_session_can_follow(child: Child) -> None:
    child.open()
    child.do("lose")
    lost = child.until(frames.Lost)
    assert isinstance(lost, frames.Lost)
    assert lost.why == "the cable was pulled"
    assert isinstance(child.open(), frames.Opened)


def test_that_a_value_that_cannot_be_sent_is_a_gap_and_not_the_end(child: Child) -> None:
    child.open()
    child.watch(1, "v:1")
    child.until(frames.Items)
    child.do("unsendable")
    gap = child.until(frames.Gap)
    assert isinstance(gap, frames.Gap)
    assert gap.handles == (1,)
    child.watch(2, "v:2")
    child.until(frames.Samples)


def test_that_nonsense_from_the_parent_ends_it(child: Child) -> None:
    child._stdin.write(b"\xff" * 16)
    child._stdin.flush()
    child.ended_within(3)


def test_that_it_says_how_much_memory_it_uses(child: Child) -> None:
    memory = child.until(frames.Memory)
    assert isinstance(memory, frames.Memory)
    assert 10 * 2**20 < memory.rss_bytes < 300 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="the address space is capped on Linux only")
def test_that_the_cap_of_its_memory_makes_a_hostile_answer_an_error_and_not_a_dead_laptop(start: Callable[..., Child]) -> None:
    child = start(**{MEMORY_VARIABLE: "700"})
    child.open()
    child.do("eat", token=1)
    child.do("eat", token=2)
    child.do("eat", token=3)
    child.do("eat", token=4)
    failed = child.until(frames.Replied, lambda frame: isinstance(frame, frames.Replied) and frame.failure is not None)
    assert isinstance(failed, frames.Replied)
    assert failed.failure is not None
    assert "MemoryError" in failed.failure.why


@pytest.mark.skipif(os.name == "nt", reason="SIGINT to one process does not exist there")
def test_that_ctrl_c_in_the_terminal_does_not_end_it_before_its_parent_says_so(child: Child) -> None:
    child.open()
    child.process.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        child.process.wait(0.5)
    child.send(frames.Browse(token=1, nodes=("x",)))
    child.until(frames.Replied)
