"""asyncua's decoder, as far as we still use it, believes no length that the bytes do not bear out."""

from __future__ import annotations

import dataclasses
import re
import struct
import typing
from time import process_time

import asyncua.ua
import pytest
from asyncua.common.utils import Buffer, NotEnoughData
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

import app.drivers.opcua.session_library  # noqa: F401

ua: typing.Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need


def answer(value: object) -> bytes:
    response = ua.ReadResponse()
    response.Results = [ua.DataValue(ua.Variant(value))]
    return struct_to_binary(response)


@pytest.mark.parametrize("value", [None, 5.0, "text", ["", "", ""], [[1, 2], [3, 4]], [ua.Variant(None)] * 40])
def test_that_honest_values_are_decoded_as_before(value: object) -> None:
    kind = ua.VariantType.Variant if isinstance(value, list) and value and isinstance(value[0], ua.Variant) else None
    response = ua.ReadResponse()
    response.Results = [ua.DataValue(ua.Variant(value, kind))] * 40
    assert struct_from_binary(ua.ReadResponse, Buffer(struct_to_binary(response))) == response


@pytest.mark.parametrize("count", [58_000_000, 2**31 - 1])
def test_that_an_array_of_nulls_is_no_longer_than_its_bytes(count: int) -> None:
    honest = answer(5.0)
    at = honest.rindex(b"\x0b")
    bomb = honest[:at] + b"\x80" + struct.pack("<i", count) + honest[at + 1 :]
    begun = process_time()
    with pytest.raises(NotEnoughData, match="more elements announced"):
        struct_from_binary(ua.ReadResponse, Buffer(bomb))
    assert process_time() - begun < 1


@pytest.mark.parametrize("length", [-2, -8, -(2**31)])
def test_that_a_negative_length_does_not_move_backwards(length: int) -> None:
    response = ua.FindServersResponse()
    response.Servers = [ua.ApplicationDescription(ApplicationUri="urn:x:12345678")]
    lie = struct_to_binary(response).replace(struct.pack("<i", 14) + b"urn:x:12345678", struct.pack("<i", length) + b"urn:x:12345678")
    with pytest.raises(NotEnoughData):
        struct_from_binary(ua.FindServersResponse, Buffer(lie))


def test_that_no_list_in_an_answer_has_elements_that_take_no_bytes() -> None:
    """They would be the next bomb: only a read of the buffer is counted."""
    kinds = [kind for kind in vars(ua).values() if isinstance(kind, type) and dataclasses.is_dataclass(kind)]
    empty = {kind.__name__ for kind in kinds if not dataclasses.fields(kind)}
    lists = [str(field.type) for kind in kinds for field in dataclasses.fields(kind) if "list" in str(field.type).lower()]
    assert len(lists) > 100
    assert [text for text in lists if empty & set(re.findall(r"\w+", text)) and "type[" not in text] == []  # "type[": extension objects
