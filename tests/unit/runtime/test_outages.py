"""What is kept of the times an endpoint was away, and what the runtime tells of its items for whoever shows them."""

from __future__ import annotations

from collections.abc import Callable

from app.model.values import Quality
from app.runtime.outages import KEPT, Outage, Outages
from tests.unit.runtime.conftest import Bench, endpoint, tag

Make = Callable[..., Bench]


def test_that_an_outage_lasts_until_the_connection_is_back_and_keeps_its_first_reason() -> None:
    outages = Outages()
    outages.lost(7, 1.0, "")
    outages.lost(8, 1.5, "refused")
    outages.lost(9, 2.0, "no route")
    assert outages.seen == (Outage(7, None, "refused"),)
    outages.ended(9.25)
    outages.ended(12.0)
    assert outages.seen == (Outage(7, 8.25, "refused"),)


def test_that_only_the_last_outages_are_kept() -> None:
    outages = Outages()
    for number in range(2 * KEPT):
        outages.lost(number, number, "x")
        outages.ended(number + 0.5)
    assert [one.began_ns for one in outages.seen] == list(range(KEPT, 2 * KEPT))


def test_that_a_loss_is_one_outage_with_its_reason_and_its_length_and_a_disconnect_is_none(bench: Make) -> None:
    one = bench(endpoint(), tag("t", "v:1"))
    one.live.want("table", ["t"])
    one.connect()
    one.do("lose")
    one.until(lambda: one.live.state("e").phase == "waiting")
    (outage,) = one.live.state("e").outages
    assert (outage.lasted_s, outage.why) == (None, "the cable was pulled")
    one.until(lambda: one.is_live("t"))
    (outage,) = one.live.state("e").outages
    assert outage.lasted_s is not None
    assert 0.05 < outage.lasted_s < 5
    assert one.live.reading("t").cause == ""
    one.live.disconnect("e")
    one.pump()
    assert len(one.live.state("e").outages) == 1
    assert one.live.reading("t").cause == "not connected"


def test_that_what_a_session_learned_is_told_until_the_person_connects_anew(bench: Make) -> None:
    one = bench(endpoint())
    one.connect()
    one.do("learn")
    one.until(lambda: one.live.state("e").learned.limits)
    assert one.live.state("e").learned.quarantined == {"v:9": "it makes a read time out"}
    one.do("lose")
    one.until(lambda: one.live.state("e").phase == "waiting")
    one.until(lambda: one.live.state("e").phase == "connected")
    assert one.live.state("e").learned.limits == {"read": 250}
    one.live.disconnect("e")
    one.live.connect("e")
    assert one.live.state("e").learned.limits == {}


def test_that_a_tag_says_by_one_word_why_it_has_no_value_and_where_its_variable_went(bench: Make) -> None:
    tags = {"good": "v:1", "moved": "moved", "other": "other", "refused": "refused", "bad": "bad"}
    one = bench(endpoint(), *(tag(name, address) for name, address in tags.items()), tag("idle", "v:2"))
    one.live.want("table", tags)
    one.connect()
    one.until(lambda: all(one.live.reading(name).problem or one.is_live(name) for name in tags))
    one.until(lambda: one.is_live("moved") and one.live.reading("moved").rebind and one.live.reading("bad").sample)
    causes = {name: one.live.reading(name).cause for name in (*tags, "idle")}
    assert causes == {"good": "", "moved": "moved", "other": "identity changed", "refused": "refused", "bad": "bad", "idle": "idle"}
    assert one.live.reading("moved").rebind == "v:6"
    bad = one.live.reading("bad").sample
    assert bad is not None
    assert bad.quality is Quality.BAD
    assert {name: state.rebind for name, state in one.live.strayed().items()} == {"moved": "v:6", "other": "v:5"}
    one.until(lambda: one.live.rates("e") == [(1000.0, 1000.0, 3)])
    one.live.disconnect("e")
    assert one.live.strayed() == {}
