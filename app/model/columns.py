"""Samples in columns: the one form in which values travel from a connector to the ring buffers.

numpy is imported here and not in the rest of ``app.model``, so that reading a project file does not pay for it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import numpy.typing as npt

from app.model.values import INTEGER_LIMITS, SCALAR_TYPES, Quality, Sample, Value

TYPE_CODES: dict[str, int] = {name: code for code, name in enumerate(("", *SCALAR_TYPES))}
TYPE_NAMES: tuple[str, ...] = ("", *SCALAR_TYPES)
ARRAY_FLAG = 0x80
"""Set in a type code when the value is an array of that type."""

COLUMN_DTYPES: dict[str, str] = {
    "handle": "<u4", "type": "u1", "quality": "u1", "status": "<u4",
    "number": "<f8", "source_ns": "<i8", "server_ns": "<i8", "receive_ns": "<i8",
}  # fmt: skip


def type_code(name: str) -> int:
    """Code of a type word of ``app.model.values`` (with ``[]`` for arrays)."""
    return TYPE_CODES[name[:-2]] | ARRAY_FLAG if name.endswith("[]") else TYPE_CODES[name]


def type_name(code: int) -> str:
    base = TYPE_NAMES[code & ~ARRAY_FLAG]
    return f"{base}[]" if code & ARRAY_FLAG else base


class SampleColumns(msgspec.Struct, frozen=True):
    """n samples of one endpoint, all columns of length n, in order of arrival.

    Attributes:
        handle: uint32, the number the parent gave to the watched item (for a read: its place in the request).
        type: uint8, ``type_code``.
        quality: uint8, ``Quality``.
        status: uint32, the protocol's own code (OPC UA StatusCode; Modbus exception code, 0 good).
        number: float64, the value where float64 holds it exactly (bool as 0/1, enum as its number, integers within 2^53);
            NaN elsewhere and where there is no value.
        source_ns, server_ns: int64 ns since 1970 UTC, 0 where the protocol has none.
        receive_ns: int64 ns since 1970 UTC, the connector's wall clock when the reply was decoded.
        objects: Row → value, for every row whose value is not a plain number: strings, bytes, arrays, structures (dicts),
            integers beyond 2^53, datetimes (RFC 3339 text), and None where no value was sent.
    """

    handle: npt.NDArray[np.uint32]
    type: npt.NDArray[np.uint8]
    quality: npt.NDArray[np.uint8]
    status: npt.NDArray[np.uint32]
    number: npt.NDArray[np.float64]
    source_ns: npt.NDArray[np.int64]
    server_ns: npt.NDArray[np.int64]
    receive_ns: npt.NDArray[np.int64]
    objects: dict[int, Value] = msgspec.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.handle)

    def value(self, row: int) -> Value:
        """The value of one row in its own Python type."""
        if row in self.objects:
            return self.objects[row]
        return plain_value(int(self.type[row]), float(self.number[row]))

    def sample(self, row: int) -> Sample:
        return Sample(
            value=self.value(row),
            type=type_name(int(self.type[row])),
            quality=Quality(int(self.quality[row])),
            status=int(self.status[row]),
            source_ns=int(self.source_ns[row]) or None,
            server_ns=int(self.server_ns[row]) or None,
            receive_ns=int(self.receive_ns[row]),
        )

    def where(self, chosen: npt.NDArray[np.bool_]) -> SampleColumns:
        """Only the rows for which ``chosen`` is true, in their order."""
        rows = np.flatnonzero(chosen)
        objects = {place: self.objects[row] for place, row in enumerate(rows.tolist()) if row in self.objects}
        return SampleColumns(**{name: getattr(self, name)[rows] for name in COLUMN_DTYPES}, objects=objects)

    def samples(self) -> Iterator[tuple[int, Sample]]:
        for row in range(len(self)):
            yield int(self.handle[row]), self.sample(row)

    @classmethod
    def of(cls, rows: Sequence[tuple[int, Sample]]) -> SampleColumns:
        """Build columns from single samples; for drivers that have them one by one, and for tests."""
        numbers: list[float] = []
        objects: dict[int, Value] = {}
        for row, (_, sample) in enumerate(rows):
            numbers.append(_as_number(sample.value))
            if not _fits_number(sample):
                numbers[-1] = float("nan")
                objects[row] = sample.value
        return cls(
            handle=np.array([handle for handle, _ in rows], np.uint32),
            type=np.array([type_code(sample.type) for _, sample in rows], np.uint8),
            quality=np.array([sample.quality for _, sample in rows], np.uint8),
            status=np.array([sample.status for _, sample in rows], np.uint32),
            number=np.array(numbers, np.float64),
            source_ns=np.array([sample.source_ns or 0 for _, sample in rows], np.int64),
            server_ns=np.array([sample.server_ns or 0 for _, sample in rows], np.int64),
            receive_ns=np.array([sample.receive_ns for _, sample in rows], np.int64),
            objects=objects,
        )


def plain_value(code: int, number: float) -> Value:
    """What ``number`` of the columns stands for in its own Python type."""
    if code == TYPE_CODES["bool"]:
        return bool(number)
    if TYPE_CODES["int8"] <= code <= TYPE_CODES["uint64"] or code == TYPE_CODES["enum"]:
        return int(number)
    if code == TYPE_CODES["float32"]:
        return shortest(number)
    return number


def shortest(number: float) -> float:
    """The shortest decimal that is the same float32: 59.01, not 59.0099983215332. What is no float32 stays as it is."""
    try:
        (same,) = struct.unpack("<f", struct.pack("<f", number))
    except OverflowError:
        return number
    return float(str(np.float32(number))) if same == number else number


def _as_number(value: Value) -> float:
    return float(value) if isinstance(value, bool | int | float) and not (isinstance(value, int) and abs(value) > 2**53) else float("nan")


def _fits_number(sample: Sample) -> bool:
    """Whether float64 alone gives the value back, type and all."""
    value = sample.value
    if isinstance(value, bool):
        return sample.type == "bool"
    if isinstance(value, int):
        return abs(value) <= 2**53 and (sample.type in INTEGER_LIMITS or sample.type == "enum")
    return isinstance(value, float) and sample.type in ("float32", "float64")
