"""What is longer than one frame may be, cut by the connector into frames that go on with each other, and joined again by the parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

import msgspec
import numpy as np

from app.connector import frames
from app.connector.frames import FrameError, Replied, TooMuchError
from app.connector.payload import COLUMNS, SAMPLE_ROWS, complete
from app.connector.values import Values
from app.drivers.base import BrowseColumns, NodeDetails
from app.model.columns import SampleColumns
from app.model.values import Quality, Value

BROWSE_ROWS: Final = 4_000
"""Browsed nodes in one frame, about 0.5 MB; fewer where their texts are long."""
DETAILS: Final = 200
"""Nodes with their details in one frame, likewise."""
OPEN_REPLIES: Final = 64
"""Replies that the parent joins at the same time."""
JOINED_ROWS: Final = 1_000_000
"""Samples or nodes of one reply."""
JOINED_PARTS: Final = 500

_NODE_COLUMNS: Final = ("parent", "id", "name", "browse_name", "path", "node_class", "type", "has_children", "description")


def sample_frames(columns: SampleColumns, token: int | None = None) -> Iterator[tuple[bytes, int]]:
    """Watched samples, or with ``token`` the answer to a read, as frames with their numbers of rows.

    Raises:
        FrameError: A value cannot be sent; ``withheld`` says which.
    """
    columns = complete(columns)
    rows = len(columns)

    def encoded(start: int, end: int) -> bytes:
        return frames.encode_samples(columns if end - start == rows else _rows(columns, start, end), token, more=end < rows)

    return _cut(rows, SAMPLE_ROWS, encoded)


def browse_frames(token: int, browse: BrowseColumns, *, done: bool = True) -> Iterator[bytes]:
    """Browsed nodes as frames. Errors and the continuation go with the last.

    Raises:
        FrameError: The columns do not fit each other, or one node alone is too much.
    """
    rows = len(browse)
    frames.check_browse(browse)

    def encoded(start: int, end: int) -> bytes:
        part = {name: getattr(browse, name)[start:end] for name in _NODE_COLUMNS}
        if end == rows:
            return frames.encode(Replied(token=token, browse=msgspec.structs.replace(browse, **part), done=done))
        return frames.encode(Replied(token=token, browse=BrowseColumns(**part), done=False, more=True))

    return (frame for frame, _ in _cut(rows, BROWSE_ROWS, encoded))


def details_frames(token: int, details: Sequence[NodeDetails]) -> Iterator[bytes]:
    """Nodes with their details as frames. Raises ``FrameError`` where those of one node are too much."""

    def encoded(start: int, end: int) -> bytes:
        more = end < len(details)
        return frames.encode(Replied(token=token, details=tuple(details[start:end]), more=more, done=not more))

    return (frame for frame, _ in _cut(len(details), DETAILS, encoded))


def _cut(rows: int, most: int, encoded: Callable[[int, int], bytes]) -> Iterator[tuple[bytes, int]]:
    """Frames of at most so many rows, in order; what is too large nevertheless is halved."""
    left = [(0, rows)]
    while left:
        start, end = left.pop()
        count = end - start
        if count <= most:
            try:
                yield encoded(start, end), count
            except TooMuchError:
                if count <= 1:
                    raise
            else:
                continue
        middle = start + min(most, count // 2)
        left += [(middle, end), (start, middle)]


def withheld(columns: SampleColumns) -> tuple[SampleColumns, list[int]]:
    """The same samples without the values that cannot be sent: None, of bad quality; and their rows."""
    bad = [row for row, value in columns.objects.items() if not _can_be_sent(value)]
    quality = columns.quality.copy()
    quality[bad] = Quality.BAD
    objects: dict[int, Value] = {**columns.objects, **dict.fromkeys(bad)}
    arrays = {name: getattr(columns, name) for name, _ in COLUMNS if name != "quality"}
    return SampleColumns(**arrays, quality=quality, objects=objects), bad


def _can_be_sent(value: Value) -> bool:
    try:
        Values().packed(value)
    except FrameError:
        return False
    return True


def joined(batch: Sequence[SampleColumns]) -> SampleColumns:
    """Samples of several columns as one."""
    if len(batch) == 1:
        return batch[0]
    objects: dict[int, Value] = {}
    offset = 0
    for columns in batch:
        if columns.objects:
            objects.update({offset + row: value for row, value in columns.objects.items()})
        offset += len(columns)
    return SampleColumns(**{name: np.concatenate([getattr(part, name) for part in batch]) for name, _ in COLUMNS}, objects=objects)


def _rows(columns: SampleColumns, start: int, end: int) -> SampleColumns:
    objects = {row - start: value for row, value in columns.objects.items() if start <= row < end}
    return SampleColumns(**{name: getattr(columns, name)[start:end] for name, _ in COLUMNS}, objects=objects)


class Parts:
    """The parent's side: holds what is not complete yet. What a connector can make it hold is bounded."""

    def __init__(self) -> None:
        self._held: dict[int, list[tuple[Replied, SampleColumns | None]]] = {}

    def take(self, frame: frames.ToParent, columns: SampleColumns | None) -> tuple[frames.ToParent, SampleColumns | None] | None:
        """The frame, whole; None while more of it has to come.

        Raises:
            FrameError: It does not go on with what came before, or there is no end of it.
        """
        if not isinstance(frame, Replied) or (not frame.more and frame.token not in self._held):
            return frame, columns
        held = self._held.setdefault(frame.token, [])
        held.append((frame, columns))
        if len(self._held) > OPEN_REPLIES or len(held) > JOINED_PARTS or sum(map(_size, held)) > JOINED_ROWS:
            raise FrameError("a reply without an end")
        if frame.more:
            if frame.done:
                raise FrameError("a reply that is done and goes on")
            return None
        del self._held[frame.token]
        return frame if frame.failure is not None else _whole(frame, [part for part, _ in held]), _whole_samples(held)


def _size(part: tuple[Replied, SampleColumns | None]) -> int:
    frame, columns = part
    return len(columns or frame.browse or frame.details or ())


def _whole(last: Replied, parts: Sequence[Replied]) -> Replied:
    """``last`` with all of the result."""
    if last.details is not None:
        return msgspec.structs.replace(last, details=tuple(chain.from_iterable(part.details or () for part in parts)))
    if last.browse is not None:
        pages = [part.browse for part in parts if part.browse is not None]
        columns = {name: tuple(chain.from_iterable(getattr(page, name) for page in pages)) for name in _NODE_COLUMNS}
        return msgspec.structs.replace(last, browse=msgspec.structs.replace(last.browse, **columns))
    return last


def _whole_samples(held: Sequence[tuple[Replied, SampleColumns | None]]) -> SampleColumns | None:
    """None for what is no answer to a read, and for one that failed in the end.

    Raises:
        FrameError: Samples mixed with something else.
    """
    columns = [columns for _, columns in held if columns is not None]
    if held[-1][1] is None:
        return None
    if len(columns) != len(held):
        raise FrameError("a reply of different results")
    return joined(columns)
