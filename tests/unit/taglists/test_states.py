from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.taglists.states import access, functions, is_reserved, states, table_word


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0=off 1=on", {"0": "off", "1": "on"}),
        ("0: off; 1: on", {"0": "off", "1": "on"}),
        ("0 = Off, 1 = On, 2 = Auto mode", {"0": "Off", "1": "On", "2": "Auto mode"}),
        ("0 - Off, 1 - On", {"0": "Off", "1": "On"}),
        ("0x00 = closed 0x01 = open", {"0": "closed", "1": "open"}),
        ("Operating mode: 0=stop 1=run.", {"0": "stop", "1": "run."}),
        ("(0=off, 1=on)", {"0": "off", "1": "on"}),
        ("-1=fault 0=ok", {"-1": "fault", "0": "ok"}),
        ("1 = one", {}),
        ("1=a 1=b", {}),
        ("Voltage 230 V, range 0-100", {}),
        ("12:30 until 14:45", {}),
        ("", {}),
    ],
)
def test_that_names_of_states_are_found(text: str, expected: dict[str, str]) -> None:
    assert dict(states(text)) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("R", "RO", "r", "Read only", "Lesen", "read"), "r"), (("RW", "R/W", "R / W", "Read/Write", "Lesen/Schreiben", "rw"), "rw"),
        (("W", "WO", "write only"), "w"), (("X", "maybe", ""), None),
    ],
)  # fmt: skip
def test_that_access_is_read(texts: tuple[str, ...], expected: str | None) -> None:
    assert {access(text) for text in texts} == {expected}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("03", ("holding", "r")), ("0x04", ("input", "r")), ("3, 6, 16", ("holding", "rw")), ("FC03/FC16", ("holding", "rw")), ("FC 6",
        ("holding", "w")),
        ("1/5/15", ("coil", "rw")), ("2", ("discrete", "r")), ("03h", ("holding", "r")), ("3 or 4", None), ("3,4", None), ("43", None),
        ("", None), ("abc", None),
    ],
)  # fmt: skip
def test_that_function_codes_name_table_and_access(text: str, expected: tuple[str, str] | None) -> None:
    assert functions(text) == expected


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("Holding registers", "holding"), ("4.2 Input Registers (read only)", "input"), ("Discrete inputs", "discrete"), ("Coils", "coil"),
        ("Halteregister", "holding"), ("Eingangsregister", "input"), ("Function code 04", "input"), ("HR", "holding"),
        ("holding or input registers", ""),
        ("Energy", ""),
    ],
)  # fmt: skip
def test_that_titles_name_a_table(text: str, table: str) -> None:
    assert table_word(text) == table


def test_that_reserved_rows_are_known() -> None:
    for text in ("Reserved", "reserviert", "- not used -", "(reserved)", "Reserved for future use", "n/a"):
        assert is_reserved(text), text
    assert not is_reserved("Reserved energy")


@given(st.text(max_size=60))
def test_that_any_text_is_harmless(text: str) -> None:
    found = states(text)
    assert not found or len(found) >= 2
    access(text)
    functions(text)
    table_word(text)
    is_reserved(text)
