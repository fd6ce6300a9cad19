from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import UserError
from app.taglists import web_table
from app.taglists.reading import read_list, read_source
from tests.unit.taglists.lists import modbus, tags

PAGE = """<html><body><h1>Registers are zero-based</h1><script>var t = "<table>"</script>
<table><thead><tr><th rowspan=2>Address</th><th colspan="2">Value</th></tr><tr><th>Name</th><th>Type</th></tr></thead>
<tbody><tr><td>10</td><td>Voltage<br>L1 &amp; N</td><td>U16</td></tr><tr><td rowspan="2">11</td><td>A</td><td>BIT 0</td></tr>
<tr><td>B</td><td>BIT 1</td></tr></tbody></table></body></html>"""


def test_that_the_table_of_a_page_is_read_with_cells_that_reach_over_others() -> None:
    source = read_source(PAGE.encode(), "map.html")
    assert source.form.key == "html"
    found = read_list(PAGE.encode(), "map.html", modbus())
    assert [(tag.address, tag.name) for tag in tags(found)] == [
        ("holding:10", "Voltage L1 & N"),
        ("holding:11.0", "A"),
        ("holding:11.1", "B"),
    ]
    assert found.numbering.base == 0


def test_that_a_page_without_a_table_or_with_endless_nesting_is_refused() -> None:
    with pytest.raises(UserError, match="no table"):
        web_table.read(b"<p>nothing</p>")
    with pytest.raises(UserError, match="20 deep"):
        web_table.read(b"<table><tr><td>" * 30)


def test_that_a_cell_that_claims_to_reach_far_does_no_harm() -> None:
    with pytest.raises(UserError, match="256 columns"):
        web_table.read(b"<table><tr>" + b"<td colspan=9999>x</td>" * 3 + b"</tr></table>")


@given(st.text(alphabet="<>/table rdh=\"'colspan&;19\n", max_size=200))
def test_that_any_markup_is_tables_or_a_user_error(text: str) -> None:
    with contextlib.suppress(UserError):
        web_table.read(text.encode())
