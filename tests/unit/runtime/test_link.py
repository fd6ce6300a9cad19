"""The supervisor: what happens when connectors die, hang, flood and lie."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

import numpy as np
import psutil
import pytest

from app.drivers.base import BrowseColumns
from app.edits.edit import replace, with_fields
from app.errors import UserError
from app.runtime.inbox import LINK_ROWS
from app.runtime.patience import LinkLimits
from app.samples.history import GAP
from tests.faults.clock import ShiftedClock
from tests.unit.runtime.conftest import FAST, Bench, connectors, endpoint, tag

Make = Callable[..., Bench]
pytestmark = pytest.mark.skipif(os.name == "nt", reason="these faults are made with POSIX signals")


def watching(bench: Make, **options: object) -> Bench:
    one = bench(endpoint(), tag("c", "count"), tag("t", "v:1"), **options)
    one.live.want("table", ["c", "t"])
    one.connect()
    one.until(lambda: one.is_live("c") and one.is_live("t"))
    return one


def why(one: Bench) -> str:
    error = one.live.state("e").why
    return f"{error.what}: {error.why}" if error is not None else ""


def test_that_a_killed_connector_is_stale_at_once_and_comes_back_by_itself(bench: Make) -> None:
    one = watching(bench)
    psutil.Process(one.pid()).kill()
    assert one.until(lambda: one.live.reading("t").stale) < 1
    one.until(lambda: why(one))
    assert why(one) == "The connector stopped: its process was ended by signal 9"
    assert one.live.reading("t").problem == "not connected: its process was ended by signal 9"
    assert one.value("t") == 1  # still shown, with its age
    one.until(lambda: one.is_live("t") and one.is_live("c"))
    one.until(lambda: "again" in one.logs[-1].text)  # when it has lasted
    assert [entry.level for entry in one.logs if entry.level != "INFO"] == ["WARNING"]
    assert [entry.text for entry in one.logs if entry.level == "INFO"][-1].startswith("Connected again after")
    assert GAP in one.live.history.series("c").quality


def test_that_a_crash_is_told_with_exit_code_and_last_words(bench: Make) -> None:
    one = watching(bench)
    with pytest.raises(UserError, match="Segmentation fault in libplc"):
        one.live.wait(one.do("crash"), 5)
    assert why(one) == "The connector stopped: its process ended with code 3: Segmentation fault in libplc"
    one.until(lambda: one.is_live("t"))


def test_that_a_stopped_connector_is_stale_within_the_rule_and_live_when_it_goes_on(bench: Make) -> None:
    one = watching(bench)
    pid = one.pid()
    psutil.Process(pid).suspend()
    took = one.until(lambda: one.live.reading("t").stale)
    assert 2 < took < 3.5  # 1 + 2 s + 2 round trips after the last sign of life
    assert one.live.state("e").phase == "connected"
    assert one.live.state("e").stale
    psutil.Process(pid).resume()
    assert one.until(lambda: one.is_live("t")) < 2
    assert one.pid() == pid


def test_that_a_connector_that_hangs_for_long_is_replaced(bench: Make) -> None:
    one = watching(bench, limits=LinkLimits(back_off_s=(0.1,), hung_ticks=4))
    pid = one.pid()
    psutil.Process(pid).suspend()
    one.until(lambda: why(one), 8)
    assert why(one).startswith("The connector hangs: nothing came from it for 4 s")
    one.until(lambda: one.is_live("t"), 8)
    assert one.pid() != pid


def test_that_malformed_frames_end_the_connector_and_say_so(bench: Make) -> None:
    one = watching(bench)
    pid = one.pid()
    one.do("garbage")
    one.until(lambda: why(one))
    assert why(one).startswith("The connector sent invalid data: a frame of 4294967295 + 4294967295 bytes")
    one.until(lambda: one.is_live("t"))
    assert one.pid() != pid
    assert not psutil.pid_exists(pid)


def test_that_a_connector_with_too_much_memory_is_replaced(bench: Make) -> None:
    one = watching(bench, limits=LinkLimits(back_off_s=(0.1,), memory_bytes=150 * 2**20))
    pid = one.pid()
    one.do("eat")
    one.until(lambda: why(one))
    assert why(one).startswith("The connector used too much memory")
    one.until(lambda: one.is_live("t"))
    assert one.pid() != pid


def test_that_a_loss_keeps_the_process_and_takes_a_new_session(bench: Make) -> None:
    one = watching(bench)
    pid = one.pid()
    one.do("lose")
    one.until(lambda: one.live.state("e").phase == "waiting")
    assert why(one) == "The connection was lost: the cable was pulled"
    one.until(lambda: one.is_live("t"))
    assert one.pid() == pid


def test_that_after_a_reconnect_a_value_is_stale_until_it_came_again(bench: Make) -> None:
    one = watching(bench)
    one.do("lose")
    one.until(lambda: one.live.state("e").phase == "waiting")
    before = one.live.reading("t").sample
    while one.live.reading("t").stale:
        assert one.live.reading("t").sample == before
        time.sleep(0.005)
        one.pump()
    fresh = one.live.reading("t")
    assert fresh.sample != before
    assert fresh.age_s < 0.5


def test_that_a_connection_that_flickers_is_told_as_one_outage(bench: Make) -> None:
    one = watching(bench, limits=LinkLimits(back_off_s=(0.05,), settle_s=30.0))
    for _ in range(3):
        one.do("lose")
        one.until(lambda: one.live.state("e").phase == "waiting")
        one.until(lambda: one.is_live("t"))
    one.live.disconnect("e")
    one.until(lambda: "again" in one.logs[-1].text)  # a person ends the connection: nothing more will be heard of it
    assert [entry.text.partition(":")[0] for entry in one.logs] == [
        "Connected",
        "The connection was lost",
        one.logs[-1].text.partition(":")[0],
    ]


def test_that_a_sleep_of_the_computer_is_told_and_marks_a_gap(bench: Make) -> None:
    clock = ShiftedClock()
    one = watching(bench, clock=clock)
    assert GAP not in one.live.history.series("c").quality
    clock.sleep(600)
    one.until(lambda: "stood still for 600 s" in one.logs[-1].text)
    one.until(lambda: one.is_live("t"))
    assert GAP in one.live.history.series("c").quality
    assert [entry.level for entry in one.logs] == ["INFO", "INFO"]


def test_that_silence_alone_is_no_loss_and_samples_are_a_sign_of_life(bench: Make) -> None:
    one = watching(bench)
    one.live.wait(one.do("hush"), 5)
    end = time.monotonic() + 4
    while time.monotonic() < end:
        one.pump()
        assert one.is_live("t")  # "count" still comes
        time.sleep(0.05)
    one.live.want("table", ["t"])
    assert one.until(lambda: one.live.state("e").stale) < 4
    assert one.live.reading("t").problem == "no answer for more than 3 s"


def test_that_an_endpoint_that_refuses_is_tried_again_and_logged_once(bench: Make) -> None:
    one = bench(endpoint(settings={"open": "refused"}))
    one.live.connect("e")
    attempts = set[float | None]()

    def tried_often() -> bool:
        attempts.add(one.live.state("e").retry_at_s)
        return len(attempts) > 5

    one.until(tried_often)
    state = one.live.state("e")
    assert state.phase == "waiting"
    assert why(one) == "Cannot connect: BadRefused (0x1)"
    assert [entry.text for entry in one.logs if entry.level == "WARNING"] == ["Cannot connect: BadRefused (0x1)"]
    with pytest.raises(UserError, match="BadRefused"):
        one.live.wait_connected("e", 5, first_attempt=True)


def test_that_reconnecting_shows_as_one_waiting_and_not_as_flicker(bench: Make) -> None:
    one = bench(endpoint(settings={"open": "refused"}))
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "waiting")
    since = one.live.state("e").since_ns
    end = time.monotonic() + 1
    while time.monotonic() < end:
        one.pump()
        assert (one.live.state("e").phase, one.live.state("e").since_ns) == ("waiting", since)


def test_that_a_wrong_setting_stops_and_the_mended_one_connects_when_asked(bench: Make) -> None:
    wrong = endpoint(settings={"open": "wrong"})
    one = bench(wrong, limits=FAST)
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    assert why(one) == "Cannot connect: the setting is wrong"
    one.live.editor.do(replace("Mend", one.live.project, [with_fields(wrong, settings={})]))
    one.pump()
    assert one.live.state("e").phase == "stopped"
    one.connect()


def test_that_asking_to_connect_ends_the_wait_for_the_next_attempt(bench: Make) -> None:
    refusing = endpoint(settings={"open": "refused"})
    one = bench(refusing, limits=LinkLimits(back_off_s=(60.0,)))
    one.live.connect("e")
    one.until(lambda: one.live.state("e").retry_at_s is not None)
    one.live.editor.do(replace("Mend", one.live.project, [with_fields(refusing, settings={})]))
    one.connect()


def test_that_a_program_that_cannot_be_started_is_a_reason_and_not_a_traceback(bench: Make) -> None:
    one = bench(endpoint())
    one.live._connections._command = ["/nonexistent/tagloom"]
    one.live.connect("e")
    one.until(lambda: why(one))
    assert why(one).startswith("Cannot start the connector")


def test_that_a_flood_is_taken_and_a_slow_owner_is_told_what_was_dropped(bench: Make) -> None:
    one = watching(bench)
    one.live.wait(one.do("flood"), 5)
    one.until(lambda: one.live.state("e").values_per_s > 100_000)
    before = psutil.Process().memory_info().rss
    time.sleep(5)  # 1,000,000 samples and nobody pumps
    assert one.live._connections.inbox._rows <= LINK_ROWS + 10_000, "the connector keeps the newest, and not the owner the oldest"
    one.until(lambda: one.dropped > 100_000)
    assert psutil.Process().memory_info().rss - before < 250 * 2**20
    one.until(lambda: not one.live.state("e").stale)
    now_ns = time.time_ns()
    curve = one.live.history.curve("c", now_ns - 60 * 10**9, now_ns, 10_000)
    assert np.isnan(curve.low).any()  # the hole is in the curve
    assert any("samples missing: " in span.why for span in curve.spans)
    assert isinstance(one.live.wait(one.live.browse("e", ["x"]), 5), BrowseColumns)  # replies are never dropped


def test_that_a_connector_that_is_stuck_cannot_hold_up_closing(bench: Make) -> None:
    one = watching(bench)
    psutil.Process(one.pid()).suspend()
    begun = time.monotonic()
    one.live.close()
    assert time.monotonic() - begun < 3
    assert connectors() == []


@pytest.mark.skipif(sys.platform != "linux", reason="counts open files in /proc")
def test_that_many_reconnects_leave_no_file_open(bench: Make) -> None:
    one = watching(bench)
    process = psutil.Process()
    psutil.Process(one.pid()).kill()
    one.until(lambda: not one.is_live("t"))
    one.until(lambda: one.is_live("t"))
    count = getattr(process, "num_fds", None) or process.num_handles  # type: ignore[attr-defined,unused-ignore]  # by platform
    files = count()
    for _ in range(3):
        psutil.Process(one.pid()).kill()
        one.until(lambda: not one.is_live("t"))
        one.until(lambda: one.is_live("t"))
    assert count() <= files
