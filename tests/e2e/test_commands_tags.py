"""Register lists on the command line, against the demo plant's energy meter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.plant.process import Plant, start_plant
from app.projectfile import open_file
from tests.e2e.commandline import tagloom

LIST = """Energy meter;;;;;;
;;;;;;
Adresse;Bezeichnung;Datentyp;Faktor;Einheit;Zugriff;Beschreibung
101;Spannung L1;FLOAT32 CDAB;1;V;R;gegen N
103;Spannung L2;FLOAT32 CDAB;1;V;R;
117;Frequenz;S16;0,01;Hz;R;
149;Tarif;U16;1;-;R/W;1=Tag 2=Nacht
150;Kaputt;U17;1;-;R/W;
"""


@pytest.fixture(scope="module")
def plant() -> Iterator[Plant]:
    with start_plant(seed=1) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path, plant: Plant) -> Path:
    """With a project ``m.tagloom`` and a list ``meter.csv``."""
    (tmp_path / "meter.csv").write_text(LIST, encoding="cp1252")
    assert tagloom("new", "m.tagloom", "--endpoint", f"meter={plant.modbus_url}", cwd=tmp_path).code == 0
    return tmp_path


ASKED = ("tags", "import", "m.tagloom", "meter.csv", "--endpoint", "meter", "--unit", "3")


def test_that_a_list_is_probed_imported_listed_and_imported_again(folder: Path) -> None:
    refused = tagloom(*ASKED, cwd=folder)
    assert refused.code == 2
    assert '"Adresse" is Address, "Bezeichnung" is Name, "Datentyp" is Data type' in refused.err
    assert "--base 0" in refused.err

    probed = tagloom(*ASKED, "--probe", "--json", cwd=folder)
    assert probed.code == 0
    assert len(probed.lines) == 3
    voltage = next(line for line in probed.lines if line["name"] == "Spannung L1")
    assert voltage["base_1"].endswith(" V")
    assert 200 < float(voltage["base_1"].split()[0]) < 260
    assert "Base 1 is plausible" in probed.err
    assert open_file(folder / "m.tagloom").project.tags_of(_meter(folder)) == []

    imported = tagloom(*ASKED, "--base", "1", cwd=folder)
    assert imported.code == 1, "a row is bad"
    assert "meter.csv, line 8, column type: Unknown type: 'U17'" in imported.err
    assert "5 rows: 4 are added" in imported.err
    project = open_file(folder / "m.tagloom").project
    assert sorted(tag.address for tag in project.tags_of(_meter(folder))) == [
        "3/holding:100:float32", "3/holding:102:float32", "3/holding:116:int16", "3/holding:148",
    ]  # fmt: skip
    assert [(unit.number, unit.order) for unit in project.units_of(_meter(folder))] == [(3, "CDAB")]

    again = tagloom(*ASKED, "--base", "1", "--json", "--allow-errors", cwd=folder)
    assert again.code == 0
    assert [line["state"] for line in again.lines] == ["same", "same", "same", "same", "bad"]
    listed = tagloom("tags", "list", "m.tagloom", "--json", cwd=folder)
    assert {line["name"]: line["unit"] for line in listed.lines} == {
        "Spannung L1": "VLT",
        "Spannung L2": "VLT",
        "Frequenz": "HTZ",
        "Tarif": None,
    }
    read = tagloom("read", "meter", "--project", "m.tagloom", "--json", cwd=folder)
    assert {line["quality"] for line in read.lines} == {"good"}


def test_that_a_dry_run_changes_nothing_and_a_corrected_column_is_remembered(folder: Path) -> None:
    before = (folder / "m.tagloom").read_bytes()
    shown = tagloom(*ASKED, "--base", "1", "--dry-run", "--column", "description=Bezeichnung", "--column", "name=Beschreibung", cwd=folder)
    assert (folder / "m.tagloom").read_bytes() == before
    assert "gegen N" in shown.out
    again = tagloom(*ASKED, "--base", "1", "--dry-run", cwd=folder)
    assert '"Beschreibung" is Name' in again.err
    wrong = tagloom(*ASKED, "--column", "adress=1", cwd=folder)
    assert wrong.code == 2
    assert "Unknown meaning" in wrong.err


def test_that_what_is_listed_as_csv_goes_into_another_project(folder: Path, plant: Plant) -> None:
    tagloom(*ASKED, "--base", "1", "--allow-errors", cwd=folder)
    (folder / "tags.csv").write_text(tagloom("tags", "list", "m.tagloom", "--csv", cwd=folder).out, encoding="utf-8")
    assert tagloom("new", "n.tagloom", "--endpoint", f"meter={plant.modbus_url}", "--tags", "tags.csv", cwd=folder).code == 0
    names = [
        {(tag.name, tag.address, tag.gain) for tag in open_file(folder / name).project.tags_of(_meter(folder))}
        for name in ("m.tagloom", "n.tagloom")
    ]
    assert names[0] == names[1]


def _meter(folder: Path) -> str:
    from app.model.plant import Endpoint

    (endpoint,) = open_file(folder / "m.tagloom").project.all(Endpoint)
    return endpoint
