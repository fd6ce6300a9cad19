"""A live project from end to end over a real connector process."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.drivers.base import BrowseColumns, EndpointReport, Item, NodeDetails
from app.drivers.questions import Progress
from app.edits.edit import create, delete, replace, with_fields
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Group, Security, Tag, Unit
from app.model.values import Quality
from app.runtime.live import LiveProject
from app.runtime.state import Reply, Seen
from app.samples.history import GAP
from app.samples.recording import Recording
from tests.peers.sim_session import Echo, EchoAnywhere, Echoed
from tests.unit.runtime.conftest import Bench, connectors, endpoint, tag

Make = Callable[..., Bench]


def edit_tag(bench: Bench, id_: str, **fields: object) -> None:
    held = bench.live.project.get(Tag, id_)
    assert held is not None
    bench.live.editor.do(replace("Edit", bench.live.project, [with_fields(held, **fields)]))


def test_that_opening_a_project_neither_connects_nor_starts_anything(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    one.live.want("table", ["t"])
    one.pump()
    assert one.live.state("e").phase == "off"
    assert one.live.reading("t").problem == "not connected"
    assert connectors() == []


def test_that_values_of_every_kind_arrive_with_their_times(bench: Make) -> None:
    one = bench(
        endpoint(), tag("n", "v:7.5"), tag("s", "text:hello"), tag("b", "bad"), tag("r", "refused"), tag("g", "v:10", gain=0.5, offset=1)
    )
    one.live.want("table", ["n", "s", "b", "r", "g"])
    one.connect()
    one.until(lambda: all(one.is_live(name) for name in "nsbg") and one.live.reading("r").problem)
    assert (one.value("n"), one.value("s"), one.value("b"), one.value("g")) == (7.5, "hello", None, 6.0)
    number = one.live.reading("n")
    assert number.sample is not None
    assert number.sample.source_ns is not None
    assert abs(number.sample.source_ns - time.time_ns()) < 10e9
    assert number.interval_ms == 1000
    assert number.problem == ""
    bad = one.live.reading("b")
    assert bad.sample is not None
    assert (bad.sample.quality, bad.problem) == (Quality.BAD, "Bad (0x80340000)")
    assert one.live.reading("r").problem == "BadNodeIdUnknown (0x80340000)"
    assert one.live.reading("r").sample is None
    state = one.live.state("e")
    assert (state.phase, state.stale, state.items, state.why) == ("connected", False, 5, None)


def test_that_the_group_sets_the_rate_that_is_asked_for(bench: Make) -> None:
    one = bench(endpoint(), Group(id="fast", name="fast", interval_ms=100), tag("t", "v:1", group="fast"))
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.live.reading("t").interval_ms == 100)
    group = one.live.project.get(Group, "fast")
    assert group is not None
    one.live.editor.do(replace("Slower", one.live.project, [with_fields(group, interval_ms=500)]))
    one.until(lambda: one.live.reading("t").interval_ms == 500)


def test_that_owners_want_their_own_and_the_device_is_asked_for_the_union(bench: Make) -> None:
    one = bench(endpoint(), *(tag(f"t{number}", f"v:{number}") for number in range(4)))
    one.connect()
    one.live.want("table", ["t0", "t1"])
    one.live.want("plot", ["t1", "t2"])
    assert one.live.wanted() == {"t0", "t1", "t2"}
    one.until(lambda: all(one.is_live(name) for name in ("t0", "t1", "t2")))
    assert one.live.state("e").items == 3
    assert one.live.reading("t3").problem == "not watched"
    one.live.want("table", [])
    one.pump()
    assert one.live.state("e").items == 2
    old = one.live.reading("t0")
    assert old.sample is not None
    assert old.stale
    assert old.problem == "not watched"
    assert one.is_live("t1")


def test_that_pausing_stops_all_reading_and_going_on_brings_it_back(bench: Make) -> None:
    one = bench(endpoint(), tag("c", "count"))
    one.live.want("table", ["c"])
    one.connect()
    one.until(lambda: one.is_live("c"))
    one.live.pause(True)
    one.pump()
    assert one.live.paused
    assert (one.live.reading("c").stale, one.live.reading("c").problem) == (True, "reading is paused")
    assert one.live.state("e").phase == "connected"
    one.live.pause(False)
    one.until(lambda: one.is_live("c"))


def test_that_a_removed_tag_is_unwatched_and_its_undo_brings_it_back(bench: Make) -> None:
    one = bench(endpoint(), tag("c", "count"), tag("t", "v:1"))
    one.live.want("table", ["c", "t"])
    one.connect()
    one.until(lambda: one.is_live("c") and one.is_live("t"))
    held = one.live.project.get(Tag, "c")
    assert held is not None
    one.live.editor.do(delete("Remove c", [held]))
    one.pump()
    assert one.live.state("e").items == 1
    assert one.live.reading("c").sample is None
    assert len(one.live.history.series("c").value) == 0
    one.live.editor.undo()
    one.until(lambda: one.is_live("c"))


@pytest.mark.parametrize("wanted_meanwhile", [True, False])
def test_that_a_tag_with_another_address_never_shows_the_old_ones_value(bench: Make, wanted_meanwhile: bool) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.is_live("t"))
    if not wanted_meanwhile:
        one.live.want("table", [])
        one.pump()
        assert one.value("t") == 1
    edit_tag(one, "t", address="v:2")
    assert one.live.reading("t").sample is None  # at once, before the next pump
    one.live.want("table", ["t"])
    one.until(lambda: one.is_live("t"))
    assert one.value("t") == 2


def test_that_another_gain_voids_what_was_received_with_the_old_one(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:3"))
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.is_live("t"))
    edit_tag(one, "t", gain=10.0)
    assert one.live.reading("t").sample is None
    one.until(lambda: one.is_live("t"))
    assert one.value("t") == 30
    assert set(one.live.history.series("t").value) == {30.0}


def test_that_another_byte_order_of_a_unit_opens_the_session_again(bench: Make) -> None:
    unit = Unit(id="u", endpoint="e", number=3)
    one = bench(endpoint(), unit, tag("t", "v:3"))
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.is_live("t"))
    one.live.editor.do(replace("Order", one.live.project, [with_fields(unit, order="CDAB")]))
    one.until(lambda: "3=CDAB" in (getattr(one.live.state("e").report, "product", "")))
    one.until(lambda: one.is_live("t"))


def test_that_an_added_tag_that_is_wanted_is_watched_and_an_unknown_one_is_harmless(bench: Make) -> None:
    one = bench(endpoint())
    one.live.want("table", ["new"])
    one.connect()
    one.pump()
    assert one.live.reading("new").problem == "no such tag"
    one.live.editor.do(create("Add", [tag("new", "v:8")]))
    one.until(lambda: one.value("new") == 8)


def test_that_questions_are_answered_and_waiting_loses_no_other_arrival(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    one.live.connect("e")
    assert isinstance(one.live.wait_connected("e", 10), EndpointReport)
    one.live.want("table", ["t"])
    first, second = one.live.browse("e", ["x"]), one.live.details("e", ["y/z"])
    details = one.live.wait(second, 5)
    assert details == [NodeDetails(id="y/z", name="z")]
    arrived = one.live.pump()
    assert [reply.token for reply in arrived.replies] == [first]
    assert isinstance(arrived.replies[0].result, BrowseColumns)
    assert "e" in arrived.endpoints
    crawled = one.live.wait(one.live.crawl("e", "r", 250), 5)
    assert isinstance(crawled, BrowseColumns)
    assert [crawled.id[0], crawled.id[-1], len(crawled)] == ["r/0", "r/249", 250]
    read = one.live.wait(one.live.read("e", [Item(address="v:4"), Item(address="bad")]), 5)
    assert isinstance(read, SampleColumns)
    assert [sample.value for _, sample in read.samples()] == [4, None]


def test_that_a_crawl_comes_in_parts_of_which_the_last_is_done(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    token = one.live.crawl("e", "r", 300)
    replies: list[Reply] = []

    def is_done() -> bool:
        replies.extend(one.live.pump().replies)
        return bool(replies) and replies[-1].done

    one.live.pump()
    while not is_done():
        time.sleep(0.01)
    assert {reply.token for reply in replies} == {token}
    assert [reply.done for reply in replies] == [False, False, False, True]


def test_that_a_cancelled_request_answers_so_at_once_and_nothing_follows(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    token = one.live.browse("e", ["slow"])
    one.pump()
    one.live.cancel(token)
    replies = one.pump().replies
    assert [(reply.token, reply.done) for reply in replies] == [(token, True)]
    assert isinstance(replies[0].result, UserError)
    assert replies[0].result.what == "Cancelled"
    assert isinstance(one.live.wait(one.live.browse("e", ["x"]), 5), BrowseColumns)
    assert one.pump().replies == []
    one.live.cancel(token)
    assert one.pump().replies == []


def test_that_waiting_too_long_cancels_and_says_so(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    with pytest.raises(UserError, match=r"nothing came within 0\.2 s"):
        one.live.wait(one.live.browse("e", ["slow"]), 0.2)


def test_that_a_question_without_a_connection_is_answered_with_the_reason(bench: Make) -> None:
    one = bench(endpoint())
    with pytest.raises(UserError, match="Not connected"):
        one.live.wait(one.live.browse("e", [""]), 1)


def test_that_discovery_needs_no_endpoint(bench: Make) -> None:
    one = bench()
    found = one.live.wait(one.live.discover("sim://there"), 10)
    assert isinstance(found, EndpointReport)
    assert found.url == "sim://there"
    with pytest.raises(UserError, match="connection refused"):
        one.live.wait(one.live.discover("sim://nobody"), 10)
    slow = one.live.discover("sim://slow")
    one.live.cancel(slow)
    assert [reply.token for reply in one.pump().replies] == [slow]


def test_that_reach_as_is_used_and_the_project_stays_untouched(bench: Make) -> None:
    one = bench(endpoint(url="sim://plant"), reach={"e": "sim://laptop"})
    assert one.live.url_of("e") == "sim://laptop"
    one.connect()
    report = one.live.state("e").report
    assert report is not None
    assert report.url == "sim://laptop"
    one.live.set_reach("e", None)
    assert one.live.url_of("e") == "sim://plant"
    assert one.live.project.revision == 0
    assert one.live.url_of("nothing") == ""


def test_that_a_url_that_no_driver_speaks_stops_with_the_reason(bench: Make) -> None:
    one = bench(endpoint(url="gopher://x"))
    one.live.connect("e")
    state = one.live.state("e")
    assert state.phase == "stopped"
    assert state.why is not None
    assert "sim:" in state.why.why
    with pytest.raises(UserError, match="Not an address"):
        one.live.wait_connected("e", 1)


def test_that_a_missing_secret_stops_and_a_given_one_goes_to_the_connector_only(bench: Make) -> None:
    secret = "hunter2-canary"
    guarded = endpoint(security=Security(user="password", name="op", secret="secret://e/password"))
    one = bench(guarded)
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    why = one.live.state("e").why
    assert why is not None
    assert (why.where, getattr(why, "code", "")) == ("secret://e/password", "secret")
    two = bench(guarded, secrets={"secret://e/password": secret}.get)
    pid = two.connect()
    process = psutil.Process(pid)
    assert secret not in " ".join(process.cmdline())
    assert secret not in str(process.environ())
    assert not any(secret in entry.text for entry in two.logs)


def test_that_disconnecting_is_off_at_once_and_leaves_no_process(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    one.live.want("table", ["t"])
    one.connect()
    one.until(lambda: one.is_live("t"))
    one.live.disconnect("e")
    assert one.live.state("e").phase == "off"
    assert one.live.reading("t").stale
    one.until(lambda: connectors() == [], 3)
    one.connect()
    one.until(lambda: one.is_live("t"))


def test_that_closing_is_quick_and_final(bench: Make) -> None:
    one = bench(endpoint(), endpoint("f"))
    one.live.connect_all()
    one.until(lambda: one.live.state("e").phase == one.live.state("f").phase == "connected")
    begun = time.monotonic()
    one.live.close()
    assert time.monotonic() - begun < 2
    assert connectors() == []
    one.live.close()


def test_that_closing_while_a_connector_starts_leaves_nothing(bench: Make) -> None:
    one = bench(endpoint())
    one.live.connect("e")
    one.live.close()
    assert connectors() == []


def test_that_history_and_recording_get_what_arrives(bench: Make, tmp_path: Path) -> None:
    one = bench(endpoint(), tag("c", "count"), tag("t", "v:1"))
    one.live.want("plot", ["c", "t"])
    one.live.recording = Recording.start(tmp_path / "a.tagloom-rec", one.live.project, {"c"})
    one.connect()
    one.until(lambda: len(one.live.history.series("c").value) > 10)
    series = one.live.history.series("c")
    recording, one.live.recording = one.live.recording, None
    assert recording is not None
    recording.stop()
    assert recording.rows == len(series.value)
    assert list(series.value) == sorted(series.value)


def test_that_a_live_project_can_be_made_and_closed_without_more(bench: Make) -> None:
    live = LiveProject(bench(endpoint()).live.editor)
    live.pump()
    live.close()


def test_that_a_question_of_a_driver_comes_back_with_its_progress_and_its_answer(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    answers = one.live.wait_all(one.live.ask("e", Echo(text="abc")), 5)
    assert answers == [Progress(done=0, total=3), Progress(done=1, total=3), Progress(done=2, total=3), Echoed(text="abc")]


def test_that_a_question_which_needs_no_endpoint_is_answered_without_one(bench: Make) -> None:
    one = bench(endpoint())
    answers = one.live.wait_all(one.live.ask_anywhere(EchoAnywhere(text="ab")), 5)
    assert answers == [Echoed(text="a"), Echoed(text="b")]
    assert connectors() == []


def test_that_the_wire_is_told_only_while_it_is_traced_and_also_after_a_reconnect(bench: Make) -> None:
    one = bench(endpoint())
    seen: list[Seen] = []
    one.live.on_traffic = seen.append
    one.live.trace("e", True)
    one.connect()
    one.until(lambda: len(seen) == 1)
    assert (seen[0].endpoint, seen[0].exchanges[0].data) == ("e", b"abc")
    one.live.read("e", [Item(address="do:lose")])
    one.until(lambda: len(seen) == 2)
    one.live.trace("e", False)
    one.live.read("e", [Item(address="do:lose")])
    one.until(lambda: one.live.state("e").phase != "connected")
    one.until(lambda: one.live.state("e").phase == "connected")
    assert len(seen) == 2


def test_that_items_on_the_device_fall_when_tags_are_no_longer_wanted(bench: Make) -> None:
    one = bench(endpoint(), tag("a", "v:1"), tag("b", "v:2"), tag("r", "refused"))
    one.live.want("table", ["a", "b", "r"])
    one.connect()
    one.until(lambda: one.live.state("e").accepted == 2)
    one.live.want("table", ["b"])
    one.until(lambda: one.live.state("e").items == 1)
    assert one.live.state("e").accepted == 1
    one.live.pause(True)
    one.pump()
    assert one.live.state("e").accepted == 0


def test_that_a_tag_that_was_not_watched_for_a_while_has_a_gap_in_its_curve_that_says_so(bench: Make) -> None:
    one = bench(endpoint(), tag("a", "count"), tag("b", "count"))
    one.live.want("table", ["a", "b"])
    one.connect()
    one.until(lambda: one.live.history.usage("a").rows > 2)
    one.live.want("table", ["b"])
    one.until(lambda: GAP in one.live.history.series("a").quality)
    one.live.want("table", ["a", "b"])
    rows = one.live.history.usage("a").rows
    one.until(lambda: one.live.history.usage("a").rows > rows + 2)
    (span,) = one.live.history.curve("a", 0, time.time_ns(), 10**6, "receive").spans
    assert (span.kind, span.why) == ("gap", "not watched")
    assert GAP not in one.live.history.series("b").quality


def test_that_bad_values_are_counted_without_a_look_at_each(bench: Make) -> None:
    one = bench(endpoint(), tag("a", "v:1"), tag("b", "bad"), tag("c", "bad"))
    one.live.want("table", ["a", "b", "c"])
    one.connect()
    one.until(lambda: one.live.bad() == 2)
    one.live.want("table", ["a", "b"])
    one.until(lambda: one.live.bad() == 1)
