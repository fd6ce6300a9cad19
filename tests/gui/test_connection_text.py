"""What is said of a connection, over time: calm, honest, and the same everywhere. No window is needed for it."""

from __future__ import annotations

from msgspec.structs import replace

from app.drivers.base import EndpointReport, Learned
from app.errors import EndpointError
from app.runtime.identity import Difference
from app.runtime.outages import Outage
from app.runtime.state import ConnectionState
from widgets.connection_text import HOLD_S, Calm, items_text
from widgets.details import endpoint_rows as card

REPORT = EndpointReport(title="x", url="opc.tcp://x", limits={"MaxNodesPerRead": 100})
UP = ConnectionState(phase="connected", report=REPORT, stale=False, values_per_s=4812, items=212, accepted=212, round_trip_s=0.002)
WHY = EndpointError("The connection was lost", where="x", why="the server closed the connection", fix="It is tried again by itself")
DOWN = replace(UP, phase="waiting", stale=True, why=WHY, accepted=0)


def down(retry_at_s: float | None) -> ConnectionState:
    return replace(DOWN, retry_at_s=retry_at_s)


def test_that_a_live_connection_says_rate_items_of_ours_and_round_trip() -> None:
    shown = Calm().show(UP, 0.0)
    assert (shown.dot, shown.words, shown.short) == ("connected", "4,812/s · 212 items · 2.0 ms", "4,812/s")
    assert "212 items of ours on the device" in shown.tip
    assert items_text(replace(UP, accepted=210)) == "210 of 212 items"


def test_that_a_reconnect_reads_as_one_event() -> None:
    calm = Calm()
    calm.show(UP, 0.0)
    told = []
    for at_s, state in ((1.0, down(1.5)), (1.1, down(None)), (1.15, UP), (1.2, down(1.6)), (1.6, UP), (1.9, UP), (2.0, UP), (2.5, UP)):
        shown = calm.show(state, at_s)
        told.append((shown.dot, shown.short))
    assert list(dict.fromkeys(told)) == [("waiting", "reconnecting…"), ("connected", "4,812/s")]
    assert told.index(("connected", "4,812/s")) == 6, "it is shown as lost for at least a second"


def test_that_a_loss_shows_at_once_and_a_short_attempt_not_at_all() -> None:
    calm = Calm()
    calm.show(UP, 0.0)
    assert calm.show(down(5.0), 0.01).dot == "waiting"
    assert calm.show(down(5.0), 0.02 + HOLD_S).short == "retry in 4 s"
    assert calm.show(down(5.0), 4.2).short == "retry in 1 s"
    assert calm.show(down(None), 5.0).short == "retry in 1 s", "it flickers between two waits"
    assert calm.show(down(7.0), 5.1).short == "retry in 2 s"
    assert calm.show(down(None), 7.1).short == "retry in 2 s"
    assert calm.show(down(None), 7.2 + HOLD_S).short == "reconnecting…", "an attempt that takes long is one"


def test_that_a_countdown_only_counts_down() -> None:
    calm = Calm()
    calm.show(down(9.9), 0.0)
    seconds = [int(calm.show(down(9.9), at / 10).short.split()[2]) for at in (*range(20, 99, 3), 80, 99, 120)]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[-1] == 1


def test_that_an_endpoint_that_never_answered_is_not_said_to_be_lost() -> None:
    calm = Calm()
    assert calm.show(ConnectionState(phase="connecting"), 0.0).words == "connecting…"
    assert calm.show(replace(down(3.0), report=None), 0.1).short == "trying again…"


def test_that_the_reason_stands_in_chip_and_tip() -> None:
    calm = Calm()
    calm.show(UP, 0.0)
    shown = calm.show(down(20.0), 5.0)
    assert shown.words.endswith(": the server closed the connection")
    assert shown.words.startswith("reconnecting… · since ")
    assert "It is tried again by itself" in shown.tip


def test_that_silence_another_device_and_a_stop_look_like_trouble_and_off_does_not() -> None:
    stopped = ConnectionState(phase="stopped", why=WHY)
    held = replace(UP, changed=(Difference("product", "product", "a", "b"),), why=WHY)
    shown = [Calm().show(state, 0.0) for state in (replace(UP, stale=True), held, stopped, ConnectionState())]
    assert [one.dot for one in shown] == ["lost", "waiting", "lost", "off"]
    assert [one.short for one in shown] == ["no answer", "another device", "not connected", "off"]
    assert [one.is_trouble for one in shown] == [True, True, True, False]


def test_that_the_card_says_which_rates_were_granted_and_where_they_are_not_those_asked_for() -> None:
    rows = {row.key: row.value for row in card.live_rows(UP, [(100.0, 250.0, 200), (1000.0, 1000.0, 12)])}
    assert rows["Rates granted"] == "250 ms for 200 (asked 100 ms)\n1,000 ms for 12"
    assert rows["On the device"] == "212 items"


def test_that_the_card_names_the_last_losses_newest_first() -> None:
    state = replace(UP, outages=(Outage(0, 8.25, "the server closed the connection"), Outage(10**18, None, "")))
    heading, newest, oldest = card.outage_rows(state)
    assert heading.heading
    assert newest.value == "not back yet"
    assert oldest.value == "8.2 s\nthe server closed the connection"
    assert card.outage_rows(UP) == []


def test_that_the_card_names_what_was_learned_and_which_nodes_are_set_apart() -> None:
    learned = Learned(limits={"read": 250}, quarantined={f"i={number}": "it makes a read time out" for number in range(25)})
    rows = card.quarantine_rows(learned)
    assert rows[1].value == "i=0\nit makes a read time out"
    assert rows[-1].value == "and 5 more"
    assert {row.key: row.value for row in card.limit_rows(REPORT, learned)}["Per read request"] == "found 250"
