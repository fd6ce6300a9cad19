"""Who answers is compared with whom the project knows, before a single tag is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from app.drivers.base import BrowseColumns, Item, NodeDetails
from app.edits.endpoints import confirm_identity, name_register, note_identity
from app.edits.tags import TagDraft, add_tags
from app.errors import EndpointError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Identity
from app.runtime.identity import Difference, differences, identity_error, kind_of, place_of
from app.runtime.movement import Observed
from app.samples.history import GAP
from tests.unit.runtime.conftest import Bench, endpoint, tag

Make = Callable[..., Bench]
OLD = Identity(application_uri="urn:filler", thumbprint="ab" * 20, product="Acme, Filler PLC, 3.1.0, build 12")


def changed(**fields: str) -> tuple[Difference, ...]:
    found = {name: getattr(OLD, name) for name in ("application_uri", "thumbprint", "product")} | fields
    return differences(OLD, Identity(**found))


def test_that_only_what_both_sides_know_is_compared() -> None:
    assert differences(OLD, OLD) == ()
    assert differences(OLD, Identity()) == ()
    assert differences(Identity(), OLD) == ()
    assert changed(thumbprint="AB" * 20) == ()
    assert [(one.field, one.expected, one.found) for one in changed(application_uri="urn:capper", product="")] == [
        ("application_uri", "urn:filler", "urn:capper")
    ]


def test_that_the_value_of_a_named_register_counts_once_it_is_known() -> None:
    known = Identity(register="3/holding:100", value="4711")
    assert differences(known, Identity(register="3/holding:100", value="4711")) == ()
    assert differences(Identity(register="3/holding:100"), Identity(register="3/holding:100", value="4711")) == ()
    (other,) = differences(known, Identity(register="3/holding:100", value="4712"))
    assert str(other) == "value of 3/holding:100 4711 → 4712"


def test_that_a_named_register_that_cannot_be_read_is_not_taken_for_the_same_device() -> None:
    found = differences(Identity(register="holding:100", value="4711"), Identity(product="Acme"))
    assert kind_of(found) == "unknown"
    error = identity_error("modbus://10.0.0.5", found)
    assert error.what == "10.0.0.5 cannot be told from another device"
    assert error.why.startswith("value of holding:100 cannot be read, it was 4711")


@pytest.mark.parametrize(
    ("expected", "found", "kind"),
    [
        ("Acme, Filler PLC, 3.1.0, build 12", "Acme, Filler PLC, 3.2.0, build 7", "firmware"),
        ("Acme, Filler PLC, 3.1.0, build 12", "Acme, Filler PLC, 3.2.0", "firmware"),
        ("Loom T-1 2.3", "Loom T-1 2.4", "firmware"),
        ("Loom T-1 V2.3", "Loom T-1 v3", "firmware"),
        ("WAGO 750-352 01.04.16(04)", "WAGO 750-352 01.09.01(11)", "firmware"),
        ("WAGO 750-352 01.04.16(04)", "WAGO 750-880 01.04.16(04)", "device"),
        ("Acme 3100", "Acme 3200", "device"),
        ("Acme 3100 2.3", "Acme 3200 2.3", "device"),
        ("Acme, Filler PLC, 3.1.0", "Acme, Capper PLC, 3.1.0", "device"),
        ("3.1", "3.2", "device"),
    ],
)
def test_that_new_firmware_is_told_apart_from_another_device(expected: str, found: str, kind: str) -> None:
    assert kind_of(differences(Identity(product=expected), Identity(product=found))) == kind


def test_that_the_words_name_the_place_and_what_differs() -> None:
    device = identity_error("opc.tcp://192.168.0.10:4840/plc", changed(application_uri="urn:capper", product="Acme, Capper, 1.0"))
    assert (device.code, device.what, device.where) == (
        "identity",
        "192.168.0.10 is now a different device",
        "opc.tcp://192.168.0.10:4840/plc",
    )
    assert "application URI urn:filler → urn:capper" in device.why
    assert "Acme, Filler PLC, 3.1.0, build 12 → Acme, Capper, 1.0" in device.why
    assert identity_error("opc.tcp://plc", changed(product="Acme, Filler PLC, 4.0")).what == "plc has another version now"
    assert identity_error("opc.tcp://plc", changed(thumbprint="cd" * 20)).what == "plc has another certificate now"
    assert identity_error("opc.tcp://plc", changed(thumbprint="cd" * 20, application_uri="urn:x")).what == "plc is now a different device"
    assert len(identity_error("opc.tcp://plc", changed(product="x" * 10_000)).why) < 400


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("opc.tcp://192.168.0.10:4840", "192.168.0.10"),
        ("opc.tcp://[fe80::1]:4840/x", "[fe80::1]"),
        ("modbus://gateway?unit=3", "gateway"),
        ("modbus-rtu:/dev/ttyUSB0?baudrate=9600", "The device on /dev/ttyUSB0"),
        ("modbus-rtu:COM3", "The device on COM3"),
    ],
)
def test_that_a_place_is_called_as_people_call_it(url: str, place: str) -> None:
    assert place_of(url) == place


class Swapped:
    """A bench whose device is what a file says it is."""

    def __init__(self, make: Make, folder: Path, known: Identity, answers: str = "urn:filler") -> None:
        self.file = folder / "who"
        self.answers(answers)
        settings = {"identity_in": str(self.file)}
        self.bench = make(endpoint(identity=known, settings=settings), tag("c", "count"), tag("t", "v:1"))
        self.live = self.bench.live
        self.taken: list[str] = []
        self.live.on_samples = self._on_samples
        self.live.want("table", ["c", "t"])

    def _on_samples(self, tags: Mapping[int, str], columns: SampleColumns) -> None:
        self.taken += [tags[handle] for handle in columns.handle.tolist()]

    def answers(self, text: str) -> None:
        self.file.write_text(text, "utf-8")

    def confirm(self) -> None:
        report = self.live.state("e").report
        assert report is not None
        self.live.editor.do(confirm_identity(self.live.project, "e", report.identity))

    def asked_for(self) -> str:
        """How many items the device is asked to watch."""
        details = self.live.wait(self.live.details("e", ["watched"]), 5)
        assert isinstance(details, list)
        return details[0].name

    @property
    def held(self) -> Endpoint:
        return self.live.project.all(Endpoint)["e"]


@pytest.fixture
def other(bench: Make, tmp_path: Path) -> Swapped:
    """Connected to another device than the project knows."""
    one = Swapped(bench, tmp_path, Identity(application_uri="urn:filler"), "urn:capper\nAcme, Capper, 1.0")
    one.bench.connect()
    return one


def pumped(one: Bench, times: int = 30) -> None:
    """Long enough for a watched ``count`` to come several times: a read is answered after every pump."""
    for _ in range(times):
        one.live.wait(one.live.details("e", ["x"]), 5)


def test_that_another_device_is_connected_and_held_without_a_single_sample(other: Swapped) -> None:
    state = other.live.state("e")
    assert (state.phase, state.held, [one.field for one in state.changed]) == ("connected", True, ["application_uri"])
    assert isinstance(state.why, EndpointError)
    assert (state.why.code, state.why.what) == ("identity", "x is now a different device")
    pumped(other.bench)
    assert other.taken == []
    assert other.asked_for() == "0"
    assert other.live.reading("c").sample is None
    assert other.live.reading("c").stale
    assert other.live.reading("c").problem == "another device answers: application URI urn:filler → urn:capper"
    assert [entry.text.partition(":")[0] for entry in other.bench.logs if entry.level == "WARNING"] == ["x is now a different device"]


def test_that_a_held_device_can_be_browsed_but_no_tag_of_it_is_read(other: Swapped) -> None:
    assert isinstance(other.live.wait(other.live.browse("e", [""]), 5), BrowseColumns)
    assert other.live.wait(other.live.details("e", ["n"]), 5) == [NodeDetails(id="n", name="n")]
    with pytest.raises(EndpointError, match="is now a different device"):
        other.live.wait(other.live.read("e", [Item(address="v:7"), Item(address="v:1")]), 5)
    assert isinstance(other.live.wait(other.live.read("e", [Item(address="v:7")]), 5), SampleColumns)  # what is no tag
    with pytest.raises(EndpointError, match="is now a different device"):
        other.live.observe("e", [Observed("count")])
    with pytest.raises(EndpointError, match="is now a different device"):
        other.live.wait_connected("e", 5)


def test_that_confirming_releases_at_once_without_a_reconnect_and_undo_holds_again(other: Swapped) -> None:
    pid = other.bench.pid()
    other.confirm()
    other.bench.until(lambda: other.bench.is_live("c") and other.bench.is_live("t"))
    assert not other.live.state("e").held
    assert other.live.state("e").why is None
    assert other.bench.pid() == pid
    assert other.held.identity == Identity(application_uri="urn:capper", product="Acme, Capper, 1.0")
    other.live.editor.undo()
    assert other.live.state("e").held
    assert other.live.reading("c").stale
    taken = len(other.taken)
    pumped(other.bench)
    assert len(other.taken) == taken
    assert other.asked_for() == "0"
    assert other.live.state("e").held
    assert other.live.history.series("c").quality[-1] == GAP
    other.live.editor.redo()
    other.bench.until(lambda: other.bench.is_live("c"))
    assert other.bench.pid() == pid


def test_that_a_device_swapped_during_a_loss_is_held_and_the_old_one_comes_back_by_itself(bench: Make, tmp_path: Path) -> None:
    one = Swapped(bench, tmp_path, Identity(application_uri="urn:filler"))
    one.bench.connect()
    one.bench.until(lambda: one.bench.is_live("c"))
    one.answers("urn:capper")
    one.bench.do("lose")
    one.bench.until(lambda: one.live.state("e").held)
    taken = len(one.taken)
    pumped(one.bench)
    assert len(one.taken) == taken
    assert one.live.reading("c").stale
    one.bench.do("lose")
    one.bench.until(lambda: one.live.state("e").phase == "waiting")
    one.bench.until(lambda: one.live.state("e").held)  # again, and told in the log once
    assert sum("different device" in entry.text for entry in one.bench.logs) == 1
    one.answers("urn:filler")
    one.bench.do("lose")
    one.bench.until(lambda: one.bench.is_live("c") and not one.live.state("e").held)


def test_that_what_is_wanted_while_held_is_watched_after_the_release(other: Swapped) -> None:
    edit = add_tags(other.live.project, "e", [TagDraft(address="v:9", name="nine")])
    other.live.editor.do(edit)
    new = edit.changes[0].id
    other.live.want("table", [new])
    pumped(other.bench, 3)
    assert other.live.reading(new).sample is None
    assert other.asked_for() == "0"
    other.confirm()
    other.bench.until(lambda: other.bench.value(new) == 9)
    assert set(other.taken) == {new}


def test_that_nothing_is_held_while_the_project_knows_nobody(bench: Make, tmp_path: Path) -> None:
    one = Swapped(bench, tmp_path, Identity())
    one.bench.connect()
    one.bench.until(lambda: one.bench.is_live("c"))
    report = one.live.state("e").report
    assert report is not None
    one.live.editor.do(note_identity(one.live.project, "e", report.identity))
    one.bench.until(lambda: one.bench.is_live("t"))
    assert one.held.identity.application_uri == "urn:filler"
    assert not one.live.state("e").held


def test_that_naming_a_register_reads_it_and_from_then_on_it_tells(bench: Make, tmp_path: Path) -> None:
    one = Swapped(bench, tmp_path, Identity(), "urn:a\nAcme\n4711")
    one.bench.connect()
    one.live.editor.do(name_register(one.live.project, "e", "holding:100"))
    one.bench.until(lambda: getattr(one.live.state("e").report, "identity", Identity()).register == "holding:100")
    report = one.live.state("e").report
    assert report is not None
    one.live.editor.do(note_identity(one.live.project, "e", report.identity))
    assert one.held.identity.value == "4711"
    one.answers("urn:a\nAcme\n4712")
    one.bench.do("lose")
    one.bench.until(lambda: one.live.state("e").held)
    assert [str(found) for found in one.live.state("e").changed] == ["value of holding:100 4711 → 4712"]
