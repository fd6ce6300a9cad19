from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.modbus.guard import (
    ALLOWED_FUNCTIONS,
    REQUEST_SIZES,
    Asked,
    ForbiddenFunctionError,
    check,
    forbidden,
    identification_objects,
    reply_fault,
)


def request(function: int, count: int = 2) -> bytes:
    if function == 0x2B:
        return b"\x2b\x0e\x01\x00"
    return struct.pack(">BHH", function, 100, count)[: REQUEST_SIZES[function]] if function != 8 else b"\x08\x00\x00\x12\x34"


@pytest.mark.parametrize("function", range(256))
def test_that_only_reading_functions_may_leave(function: int) -> None:
    if function in (1, 2, 3, 4, 7, 8, 11, 17, 0x2B):
        check(request(function))
    for size in range(1, 12):
        pdu = bytes((function,)) + bytes(size - 1)
        allowed = function in REQUEST_SIZES and size == REQUEST_SIZES[function] and function != 0x2B
        assert (forbidden(pdu) == "") is allowed
        if not allowed:
            with pytest.raises(ForbiddenFunctionError):
                check(pdu)


def test_that_no_writing_function_is_allowed() -> None:
    assert not ALLOWED_FUNCTIONS & {5, 6, 15, 16, 20, 21, 22, 23, 24}


@pytest.mark.parametrize(
    ("pdu", "why"),
    [
        (b"", "empty"),
        (b"\x06\x00\x01\x00\x01", "function 6 is none"),
        (b"\x08\x00\x01\x00\x00", "sub-function 0"),
        (b"\x08\x00\x04\x00\x00", "sub-function 0"),
        (b"\x2b\x0d\x01\x00", "device identification"),
        (b"\x03\x00\x00\x00\x01\x84\x0a\x01\x06\x00\x01\x00\x01", "has 5 bytes, this one 13"),
    ],
)
def test_that_what_is_forbidden_says_why(pdu: bytes, why: str) -> None:
    assert why in forbidden(pdu)


@given(st.integers(0, 255), st.binary(max_size=260))
def test_that_any_reply_is_judged_without_an_exception(unit: int, pdu: bytes) -> None:
    for function in REQUEST_SIZES:
        fault = reply_fault(Asked(3, request(function)), unit, pdu)
        if not fault:
            assert unit == 3
            assert pdu[0] & 0x7F == function


RIGHT = b"\x03\x04\x00\x01\x00\x02"


@given(st.data())
def test_that_a_reply_with_another_unit_function_or_count_is_never_right(data: st.DataObject) -> None:
    asked = Asked(3, request(3))
    assert reply_fault(asked, 3, RIGHT) == ""
    assert reply_fault(asked, data.draw(st.integers(0, 255).filter(lambda unit: unit != 3)), RIGHT)
    position = data.draw(st.integers(0, 1))
    changed = data.draw(st.integers(0, 255).filter(lambda byte: byte != RIGHT[position]))
    assert reply_fault(asked, 3, RIGHT[:position] + bytes((changed,)) + RIGHT[position + 1 :])
    assert reply_fault(asked, 3, RIGHT + data.draw(st.binary(min_size=1, max_size=9)))
    assert reply_fault(asked, 3, RIGHT[: data.draw(st.integers(0, 5))])


@pytest.mark.parametrize(
    ("pdu", "right"),
    [
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x03abc", True),
        (b"\x2b\x0e\x01\x01\x00\x00\x00", True),
        (b"\x2b\x0e\x01\x01\x00\x00\x02\x00\x03abc", False),
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x09abc", False),
        (b"\x2b\x0e\x01\x01\x00\x00\x01\x00\x02abc", False),
        (b"\x2b\x0d\x01\x01\x00\x00\x00", False),
        (b"\x2b\x0e\x01", False),
        (b"\xab\x01", True),
        (b"\xab\x00", False),
    ],
)
def test_that_a_device_identification_must_add_up(pdu: bytes, right: bool) -> None:
    assert (reply_fault(Asked(3, request(0x2B)), 3, pdu) == "") is right
    if right and pdu[0] == 0x2B:
        assert list(identification_objects(pdu).values()) in ([], [b"abc"])


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        (7, b"\x07\x6d", b"\x07\x6d\x00"),
        (8, b"\x08\x00\x00\x12\x34", b"\x08\x00\x00\x12\x35"),
        (11, b"\x0b\xff\xff\x01\x08", b"\x0b\xff\xff\x01"),
        (17, b"\x11\x03\x09\xff\x01", b"\x11\x04\x09\xff\x01"),
        (1, b"\x01\x01\x03", b"\x01\x02\x03\x00"),
    ],
)
def test_that_each_function_has_its_own_form_of_reply(function: int, right: bytes, wrong: bytes) -> None:
    assert reply_fault(Asked(3, request(function)), 3, right) == ""
    assert reply_fault(Asked(3, request(function)), 3, wrong)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (8, 1), (9, 2), (2000, 250)])
def test_that_bits_are_counted_in_bytes(count: int, size: int) -> None:
    assert Asked(1, request(1, count)).size == size
    assert reply_fault(Asked(1, request(1, count)), 1, bytes((1, size)) + bytes(size)) == ""
