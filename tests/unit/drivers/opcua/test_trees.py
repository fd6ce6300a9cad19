from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.binary import Extension
from app.drivers.opcua.questions import Line
from app.drivers.opcua.structures import STRUCTURE, UNION, WITH_SUBTYPED_VALUES, Structure, StructureField
from app.drivers.opcua.trees import DEEPEST, MOST_BYTES, MOST_ELEMENTS, MOST_LINES, definition_lines, value_lines
from app.drivers.opcua.words import rank_text
from app.model.values import Value


class Known:
    """Types that were learned: ``pair`` of two numbers, ``list`` of itself, ``state``, ``bits``, ``undescribed``."""

    def __init__(self) -> None:
        self.structures = {
            "pair": Structure(STRUCTURE, "pair.bin", (field("A", "int"), field("B", "state"))),
            "list": Structure(STRUCTURE, "list.bin", (field("Next", "list", 1),)),
            "either": Structure(UNION, "either.bin", (field("A", "int"), field("P", "pair"))),
            "open": Structure(WITH_SUBTYPED_VALUES, "open.bin", (field("P", "pair", optional=True),)),
        }
        self.bodies: dict[bytes, Value] = {}

    def structure(self, data_type: str) -> Structure | None:
        return self.structures.get(data_type)

    def names(self, data_type: str) -> Mapping[str, str]:
        return {"state": {"0": "Off", "2": "Run"}, "bits": {"0": "Door", "3": "Air"}}.get(data_type, {})

    def owner(self, encoding: str) -> str:
        return encoding.removesuffix(".bin") if encoding.endswith(".bin") else ""

    def opened(self, extension: Extension) -> Value:
        return self.bodies.get(extension.body or b"")

    def is_enum(self, data_type: str) -> bool:
        return data_type == "state"

    def is_structure(self, data_type: str) -> bool:
        return data_type in self.structures or data_type == "undescribed"

    def words(self, data_type: str, rank: int, dimensions: Sequence[int] = ()) -> str:
        return f"{data_type}{rank_text(rank, dimensions)}"


def field(name: str, data_type: str, rank: int = -1, *, optional: bool = False) -> StructureField:
    return StructureField(name, data_type, rank, optional)


def shown(lines: Sequence[Line]) -> list[str]:
    return [f"{'  ' * line.level}{line.name}: {line.text}" for line in lines]


def value(held: Value, data_type: str = "int", known: Known | None = None) -> list[str]:
    return shown(value_lines(held, data_type, data_type, known or Known()))


def test_that_plain_values_are_one_line_with_the_name_of_their_state_or_bits() -> None:
    assert value(5) == ["Value: 5"]
    assert value(None) == ["Value: null"]
    assert value("a\nb") == ["Value: a\nb"]
    assert value(b"\x00\xff") == ["Value: 00 ff"]
    assert value(2, "state") == ["Value: 2 (Run)"]
    assert value(7, "state") == ["Value: 7 (no such state)"]
    assert value(0b1011, "bits") == ["Value: 11 (Door, bit 1, Air)"]
    assert value(0, "bits") == ["Value: 0 (none)"]
    assert value(True, "bits") == ["Value: true"]


def test_that_arrays_and_matrices_say_their_size_and_open_into_their_elements() -> None:
    assert value([2, 0], "state") == ["Value: 2 (Run), 0 (Off)", "  [0]: 2 (Run)", "  [1]: 0 (Off)"]
    assert value([]) == ["Value: 0 elements"]
    assert value([[1], [2]]) == ["Value: 2 × 1 elements", "  [0]: 1", "    [0]: 1", "  [1]: 2", "    [0]: 2"]
    assert value([[[1, 2]]])[0] == "Value: 1 × 1 × 2 elements"


def test_that_what_is_too_long_is_cut_and_says_so() -> None:
    long = value(list(range(10_000)))
    assert len(long) == 1 + MOST_ELEMENTS + 1
    assert long[0] == "Value: 10,000 elements"
    assert long[-1] == "  …: 9,800 more"
    many = value([[0] * 100] * 100)
    assert len(many) == MOST_LINES + 1
    assert many[-1] == "…: only the first 2,000 lines are shown"
    assert value(b"\1" * (MOST_BYTES + 1))[0].endswith("01 … 1,025 bytes in all")


def test_that_a_structure_and_those_inside_it_are_opened() -> None:
    known = Known()
    known.bodies = {b"outer": {"P": Extension("pair.bin", b"inner")}, b"inner": {"A": 1, "B": 2}}
    assert value(Extension("open.bin", b"outer"), "open", known) == ["Value: ", "  P: ", "    A: 1", "    B: 2 (Run)"]
    assert value(Extension("open.bin", None), "open", known) == ["Value: null"]


def test_that_what_cannot_be_decoded_is_shown_raw_with_the_reason() -> None:
    assert value(Extension("nsu=urn:x;i=1", b"\1\2")) == [
        "Value: raw, 2 bytes: the server does not describe it (OPC UA 1.03 or older)",
        "  type id: nsu=urn:x;i=1",
        "  bytes: 01 02",
    ]
    assert value(Extension("pair.bin", b"\1"), "pair")[0] == "Value: raw, 1 bytes: it is not what the server describes"


def test_that_a_structure_of_named_bits_says_only_those_that_are_valid() -> None:
    known = Known()
    known.bodies = {b"x": {"Value": b"\x09", "ValidBits": b"\x01"}}
    assert value(Extension("bits.bin", b"x"), "bits", known)[0] == "Value: Door"


def test_that_a_definition_ends_where_a_type_holds_itself() -> None:
    known = Known()
    assert shown(definition_lines("list", known)) == ["list: structure", "  Next: "]
    assert definition_lines("list", known)[1].type == "list[]"
    assert shown(definition_lines("either", known)) == [
        "either: union",
        "  A: ",
        "  P: ",
        "    A: ",
        "    B: ",
        "      0: Off",
        "      2: Run",
    ]
    assert shown(definition_lines("open", known))[1] == "  P: may be of a subtype"
    assert shown(definition_lines("bits", known)) == ["bits: option set", "  bit 0: Door", "  bit 3: Air"]
    assert shown(definition_lines("undescribed", known)) == ["undescribed: the server does not describe it (OPC UA 1.03 or older)"]
    assert definition_lines("int", known) == ()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.builds(Extension, st.text(), st.binary()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)


@given(VALUES, st.sampled_from(["int", "state", "bits", "pair", "list", ""]))
def test_that_any_value_is_lines_whose_levels_grow_by_one(held: Value, data_type: str) -> None:
    lines = value_lines(held, data_type, data_type, Known())
    levels = [line.level for line in lines]
    assert levels[0] == 0
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert max(levels) <= DEEPEST + 2


def test_that_ranks_are_written_as_programmers_write_them() -> None:
    assert [rank_text(rank) for rank in (-3, -2, -1, 0, 1, 2, 3)] == [" or array", " or array", "", "[…]", "[]", "[,]", "[,,]"]
    assert rank_text(2, [2, 0]) == "[2 × any]"
    assert rank_text(1, [0]) == "[]"
