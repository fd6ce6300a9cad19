from __future__ import annotations

from app.drivers.modbus.nodes import children, everything, place_of


def test_that_only_units_and_tables_are_places() -> None:
    assert place_of("3/") == (3, "")
    assert place_of("3/holding") == (3, "holding")
    for node in ("", "3", "256/", "3/holding:1", "x/"):
        assert place_of(node) is None


def test_that_a_limit_cuts_the_crawl_level_by_level() -> None:
    rows = everything("", [1, 2], 3)
    assert rows.id == ("1/", "2/", "1/coil")
    assert rows.parent == (0, 0, 1)
    assert everything("2/", [1, 2], 10).path == ("Unit 2/coil", "Unit 2/discrete", "Unit 2/input", "Unit 2/holding")
    assert everything("nothing", [1], 10).errors


def test_that_several_parents_are_answered_in_one_go() -> None:
    rows = children(["", "1/"], [1, 3])
    assert rows.parent == (0, 0, 1, 1, 1, 1)
    assert rows.node_class == ("unit", "unit", "table", "table", "table", "table")
    assert rows.has_children == (True, True, False, False, False, False)
