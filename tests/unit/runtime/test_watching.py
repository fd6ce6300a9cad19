"""Handles: whatever is wanted, edited and wanted again, no sample ever lands under another tag."""

from __future__ import annotations

import itertools
import random

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.drivers.base import EndpointReport, WatchItem
from app.edits import Editor
from app.edits.edit import create, delete, replace, with_fields
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Tag, Unit
from app.model.project import Project, ProjectInfo
from app.model.values import Quality, Sample
from app.runtime.clock import SYSTEM_CLOCK
from app.runtime.inbox import PhaseIn
from app.runtime.watched import WatchedEndpoint
from app.runtime.watching import Watching, endpoint_config

TAGS = [f"t{number}" for number in range(6)]


def project() -> Project:
    tags = [Tag(id=name, endpoint="e", address=f"v:{number}", name=name) for number, name in enumerate(TAGS)]
    return Project(ProjectInfo(id="p"), [Endpoint(id="e", name="E", addresses={}), *tags])


def test_that_a_handle_is_used_once_and_never_again() -> None:
    watching, one = Watching(itertools.count(1)), project()
    handles: list[int] = []
    chooser = random.Random(1)
    for _ in range(300):
        plan = watching.plan(one, "e", chooser.sample(TAGS, chooser.randint(0, 6)))
        handles += [item.handle for item in plan.add]
    assert len(set(handles)) == len(handles)


def test_that_only_the_difference_is_told() -> None:
    watching, one = Watching(itertools.count(1)), project()
    assert [item.address for item in watching.plan(one, "e", ["t0", "t1"]).add] == ["v:0", "v:1"]
    assert watching.plan(one, "e", ["t1", "t0"]) == ([], [])
    plan = watching.plan(one, "e", ["t1", "t2"])
    assert ([item.address for item in plan.add], plan.remove) == (["v:2"], [1])


def test_that_only_tags_that_may_have_changed_are_looked_at() -> None:
    watching, one = Watching(itertools.count(1)), project()
    watching.plan(one, "e", TAGS[:5])
    looked: list[str] = []

    class Counting(Project):
        def get(self, kind, id_):  # type: ignore[no-untyped-def]  # as it is there
            looked.append(id_)
            return super().get(kind, id_)

    counting = Counting(one.info, [element for kind in (Endpoint, Tag) for element in one.all(kind).values()])
    plan = watching.plan(counting, "e", {"t1", "t2", "t3", "t5"}, ["t0", "t5", "t3"])
    assert ([item.address for item in plan.add], plan.remove) == (["v:5"], [1])
    assert set(looked) <= {"t0", "t5", "t3", ""}, "a scrolled table of 10,000 tags is not gone through"
    assert watching.plan(one, "e", {"t1", "t2", "t3", "t5"}) == ([], [5]), "t4 was said to be as it was"


def test_that_tags_of_other_endpoints_and_unknown_ones_are_left_out() -> None:
    assert Watching(itertools.count(1)).plan(project(), "other", [*TAGS, "nothing"]) == ([], [])


def test_that_a_config_holds_the_orders_of_the_units() -> None:
    endpoint = Endpoint(id="e", name="E", addresses={}, settings={"timeout_s": 2})
    one = Project(ProjectInfo(id="p"), [endpoint, Unit(id="u", endpoint="e", number=3, order="CDAB"), Unit(id="v", endpoint="f", number=4)])
    config = endpoint_config(one, endpoint, "modbus://x", "/pki")
    assert [(unit.number, unit.order) for unit in config.units] == [(3, "CDAB")]
    assert (config.name, config.url, config.secret, config.pki, config.settings) == ("E", "modbus://x", "", "/pki", {"timeout_s": 2})


class Wants(RuleBasedStateMachine):
    """A device that answers late and out of order for any item it was ever asked for; ``v:<n>`` always has the value n."""

    def __init__(self) -> None:
        super().__init__()
        self.editor = Editor(project())
        self.editor.do(create("Group", [Group(id="g", name="g", interval_ms=100)]))
        self.watched = WatchedEndpoint("e", SYSTEM_CLOCK, itertools.count(1))
        self.watched.on_phase(PhaseIn(1, "connected", None, None, EndpointReport(title="", url=""), SYSTEM_CLOCK.monotonic_s()))
        self.wanted: list[str] = []
        self.asked: list[WatchItem] = []

    def adopt(self) -> None:
        self.asked += self.watched.adopt(self.editor.project, self.wanted).add

    def tag(self, name: str) -> Tag | None:
        return self.editor.project.get(Tag, name)

    @rule(names=st.lists(st.sampled_from(TAGS), unique=True))
    def want(self, names: list[str]) -> None:
        self.wanted = names
        self.adopt()

    @rule(name=st.sampled_from(TAGS), number=st.integers(0, 9), group=st.sampled_from(["", "g"]))
    def readdress(self, name: str, number: int, group: str) -> None:
        if (tag := self.tag(name)) is not None:
            if tag.address != f"v:{number}":
                self.watched.forget(name)
            self.editor.do(replace("Edit", self.editor.project, [with_fields(tag, address=f"v:{number}", group=group)]))
        self.adopt()

    @rule(name=st.sampled_from(TAGS))
    def remove(self, name: str) -> None:
        if (tag := self.tag(name)) is not None:
            self.editor.do(delete("Remove", [tag]))
            self.watched.forget(name)
        self.adopt()

    @rule()
    def undo(self) -> None:
        if self.editor.undo_name != "Group":
            before = {name: self.tag(name) for name in TAGS}
            self.editor.undo()
            for name in TAGS:
                if self.tag(name) != before[name]:
                    self.watched.forget(name)
        self.adopt()

    @rule(data=st.data())
    def late_samples(self, data: st.DataObject) -> None:
        if self.asked:
            items = data.draw(st.lists(st.sampled_from(self.asked), max_size=5))
            rows = [(item.handle, Sample(float(item.address[2:]), "float64", Quality.GOOD, 0, None, None, 1)) for item in items]
            self.watched.on_samples(SampleColumns.of(rows), SYSTEM_CLOCK.monotonic_s())

    @invariant()
    def every_value_is_that_of_its_own_address(self) -> None:
        for name in TAGS:
            tag, sample = self.tag(name), self.watched.reading(name, "").sample
            if sample is not None:
                assert tag is not None
                assert tag.address == f"v:{sample.value:.0f}"


TestWants = Wants.TestCase
TestWants.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
