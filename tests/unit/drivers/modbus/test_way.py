from __future__ import annotations

import pytest

from app.drivers.modbus.way import way_to
from app.errors import UserError

URL = "modbus://127.0.0.1:502?unit=7"


@pytest.mark.parametrize(
    ("text", "way", "first"),
    [
        ("3/holding:100:float32", ("3/", "3/holding"), 100),
        ("holding:12.5", ("7/", "7/holding"), 12),
        ("coil:3", ("7/", "7/coil"), 3),
        ("3/", ("3/",), None),
        (" 3/input ", ("3/", "3/input"), None),
    ],
)
def test_that_an_address_leads_to_its_unit_and_table(text: str, way: tuple[str, ...], first: int | None) -> None:
    assert way_to(text, URL) == (way, first)


def test_that_what_is_no_address_is_refused_in_words() -> None:
    with pytest.raises(UserError, match="Modbus"):
        way_to("nowhere", URL)
