"""The Wire panel on the demo plant: what is sent and what comes, and raw requests."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.drivers.base import Exchange
from app.plant.process import Plant
from tests.gui.driving import Driver
from widgets.models.exchanges import ExchangesModel
from widgets.models.newest import KEPT
from widgets.wire_panel import WirePanel


@pytest.fixture
def wire(gui: Driver) -> WirePanel:
    dock = gui.window.docks()["wire"]
    dock.show()
    dock.raise_()
    panel = dock.widget()
    assert isinstance(panel, WirePanel)
    gui.until(panel.isVisible)
    return panel


def meanings(panel: WirePanel) -> list[str]:
    return [one.exchange.text for one in panel.model.rows]


def test_that_requests_and_answers_of_both_protocols_are_told_with_their_meaning(gui: Driver, wire: WirePanel, plant: Plant) -> None:
    meter, filler = gui.add_modbus(plant), gui.add_opcua(plant)
    gui.connect(meter, filler)
    gui.add_tags(meter, "3/holding:119")
    gui.until(lambda: any(text.startswith("Read holding 1") for text in meanings(wire)), "no Modbus request was told")
    gui.until(lambda: any("PublishResponse" in text or "ReadResponse" in text for text in meanings(wire)), "no OPC UA answer was told")
    request = next(one for one in wire.model.rows if one.exchange.text.startswith("Read holding 1"))
    assert request.endpoint == "meter-modbus"
    assert request.exchange.sent
    assert request.exchange.data[7] == 3, "the function, behind the MBAP header"


def test_that_only_the_chosen_wire_is_traced_and_none_while_paused_or_hidden(gui: Driver, wire: WirePanel, plant: Plant) -> None:
    meter, filler = gui.add_modbus(plant), gui.add_opcua(plant)
    gui.connect(meter, filler)
    wire.endpoint.setCurrentIndex(wire.endpoint.findData(meter))
    wire.model.clear()
    gui.until(lambda: wire.model.rows)
    assert {one.endpoint for one in wire.model.rows} == {"meter-modbus"}
    wire.pause.click()
    gui.run(300)
    before = len(wire.model.rows)
    gui.run(1_500)
    assert len(wire.model.rows) == before
    wire.pause.click()
    gui.until(lambda: len(wire.model.rows) > before)
    gui.window.docks()["log"].raise_()  # before it, on another tab
    gui.run(1_000)
    before = len(wire.model.rows)
    gui.run(1_500)
    assert len(wire.model.rows) == before


def test_that_a_raw_request_is_answered_with_its_meaning_and_a_writing_one_never_sent(gui: Driver, wire: WirePanel, plant: Plant) -> None:
    meter = gui.add_modbus(plant)
    gui.connect(meter)
    assert not wire.raw.isVisible()
    wire.endpoint.setCurrentIndex(wire.endpoint.findData(meter))
    wire.raw.unit.setValue(3)
    wire.raw.pdu.setText("03 0064 0002")
    wire.raw.send.click()
    gui.until(lambda: "2 registers" in wire.raw.answer.text(), "the answer was not told")
    wire.model.clear()
    for text in ("06 0000 0001", "10 0000 0001 02 0001", "05 0000 FF00", "no hex"):
        wire.raw.pdu.setText(text)
        wire.raw.send.click()
        gui.until(lambda: "2 registers" not in wire.raw.answer.text() and "asking" not in wire.raw.answer.text())
        assert wire.raw.answer.text()
    gui.run(300)
    sent = {one.exchange.data[7] for one in wire.model.rows if one.exchange.sent and len(one.exchange.data) > 7}
    assert sent.isdisjoint({5, 6, 15, 16, 22, 23})


def test_that_a_long_answer_never_makes_the_window_wider(gui: Driver, wire: WirePanel, plant: Plant) -> None:
    meter = gui.add_modbus(plant)
    gui.connect(meter)
    wire.endpoint.setCurrentIndex(wire.endpoint.findData(meter))
    gui.run(200)
    width = gui.window.width()
    wire.raw.unit.setValue(3)
    wire.raw.pdu.setText("03 0064 0014")
    wire.raw.send.click()
    gui.until(lambda: "20 registers" in wire.raw.answer.text(), "the answer was not told")
    gui.run(200)
    assert gui.window.width() == width
    assert wire.raw.answer.toolTip(), "what is cut is there on hover"


def test_that_trouble_and_words_filter_and_what_is_shown_is_saved(gui: Driver, wire: WirePanel, tmp_path: Path) -> None:
    wire.model.see("plc", [Exchange(at_ns=0, sent=True, size=3, text="Read", data=b"\1\2\3")])
    wire.model.see("plc", [Exchange(at_ns=1_500_000_000, sent=False, size=2, text="reply", data=b"\4\5", trouble="CRC wrong")])
    wire.chips.choose("trouble")
    wire._filter()
    assert [one.exchange.text for one in wire.model.rows] == ["reply"]
    wire.save(tmp_path / "wire.tsv")
    lines = (tmp_path / "wire.tsv").read_text().splitlines()
    assert lines[1:] == ["00:00:01.500\tRx\tplc\t2\t\treply: CRC wrong\t04 05"]
    wire.chips.choose("all")
    wire.model.show_only(trouble=False, query="01 02")
    assert [one.exchange.text for one in wire.model.rows] == ["Read"]


def test_that_the_table_is_bounded_and_keeps_the_newest() -> None:
    model = ExchangesModel()
    for start in range(0, 3 * KEPT, 500):
        model.see("plc", [Exchange(at_ns=number, sent=True, size=1, text=str(number)) for number in range(start, start + 500)], dropped=1)
    assert len(model.rows) <= KEPT
    assert model.rows[-1].exchange.text == str(3 * KEPT - 1)
    assert model.dropped == 30
