"""Which references become rows of a listing."""

from __future__ import annotations

from app.drivers.opcua.browsed import Row, Rows
from app.drivers.opcua.listing import Listing, Parent

PARENT = Parent("nsu=urn:x;s=Line", "Line", 2)


def row(name: str, node: bytes = b"\x03\x02\x00") -> Row:
    return b"\x00\x2f", True, node, f"nsu=urn:x;s={name}", 2, name, name, 2, b"\x00\x3f"


def listed(names: str, seen: set[str], most: int = 100) -> list[str]:
    listing = Listing(("", "", "urn:x"))
    listing.add(0, PARENT, Rows.of([row(name) for name in names]), seen=seen, most=most)
    return listing.name


def test_that_a_node_is_listed_once_by_its_first_reference_and_not_below_a_second_parent() -> None:
    seen = {"nsu=urn:x;s=c"}
    assert listed("abacb", seen) == ["a", "b"]
    assert listed("dd", seen) == ["d"]
    assert listed("ef", seen) == ["e", "f"]
    assert listed("afg", seen) == ["g"]
    assert seen == {f"nsu=urn:x;s={name}" for name in "abcdefg"}


def test_that_what_is_over_the_limit_is_neither_listed_nor_seen() -> None:
    seen = {"nsu=urn:x;s=a"}
    assert listed("abcd", seen, most=2) == ["b", "c"]
    assert listed("de", seen, most=1) == ["d"]
    assert seen == {f"nsu=urn:x;s={name}" for name in "abcd"}


def test_that_a_node_on_another_server_is_left_out() -> None:
    listing = Listing(("", "", "urn:x"))
    listing.add(0, PARENT, Rows.of([row("a"), row("far", b""), row("b")]))
    assert listing.name == ["a", "b"]
