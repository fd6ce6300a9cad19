"""What is longer than a frame comes in parts and is whole again; and a connector cannot make its parent hold without an end."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
import pytest

from app.connector import frames, parts
from app.connector.frames import FrameError, Replied
from app.connector.parts import Parts, browse_frames, details_frames, sample_frames, withheld
from app.drivers.base import (
    BrowseColumns,
    EndpointReport,
    Exchange,
    ItemState,
    Learned,
    NodeAttribute,
    NodeDetails,
)
from app.model.columns import SampleColumns
from app.model.values import Quality, Sample, Value


def split(frame: bytes) -> tuple[bytes, bytes]:
    header, _ = frames.lengths(frame[:8])
    return frame[8 : 8 + header], frame[8 + header :]


def received(ready: Iterable[bytes]) -> tuple[list[tuple[frames.ToParent, SampleColumns | None]], int]:
    """What the parent makes of them, and in how many frames it came."""
    taking, whole, count = Parts(), [], 0
    for frame in ready:
        count += 1
        if (taken := taking.take(*frames.decode_to_parent(*split(frame)))) is not None:
            whole.append(taken)
    return whole, count


def browsed(rows: int, text: str = "") -> BrowseColumns:
    ids = tuple(f"nsu=urn:x;s={text}{row}" for row in range(rows))
    return BrowseColumns(
        parent=tuple(range(rows)), id=ids, name=ids, browse_name=ids, path=ids, node_class=("variable",) * rows, type=("",) * rows,
        has_children=(True,) * rows, description=("",) * rows, errors={3: "BadNodeIdUnknown"}, resume=b"more",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "text", "least"), [(0, "", 1), (1, "", 1), (10, "", 1), (20_000, "", 5), (3_000, "x" * 1_000, 4), (60, "y" * 20_000, 3)]
)
def test_that_a_browse_reply_of_any_size_is_whole_again(rows: int, text: str, least: int) -> None:
    whole, count = received(browse_frames(7, browsed(rows, text)))
    assert whole == [(Replied(token=7, browse=browsed(rows, text)), None)]
    assert count >= least


def test_that_a_part_of_a_crawl_is_not_done_when_it_is_whole() -> None:
    whole, _ = received(browse_frames(7, browsed(9_000), done=False))
    assert whole == [(Replied(token=7, browse=browsed(9_000), done=False), None)]


def test_that_details_of_any_size_are_whole_again() -> None:
    some = [NodeDetails(id=str(number), attributes=(NodeAttribute(name="Value", text="x" * 5_000),)) for number in range(1_000)]
    whole, count = received(details_frames(7, some))
    assert whole == [(Replied(token=7, details=tuple(some)), None)]
    assert count >= 5


def test_that_a_node_that_is_too_much_alone_is_an_error_at_once() -> None:
    with pytest.raises(FrameError, match="a frame of"):
        list(browse_frames(7, browsed(4, "x" * frames.HEADER_LIMIT)))


def some_samples(values: list[Value]) -> SampleColumns:
    return SampleColumns.of([(row, Sample(value, "struct", Quality.GOOD, 0, None, None, 1)) for row, value in enumerate(values)])


@pytest.mark.parametrize("token", [None, 5])
def test_that_samples_of_any_size_are_whole_again(token: int | None) -> None:
    columns = some_samples([{"number": row, "text": "x" * (20 if row % 100 else 40_000)} for row in range(60_000)])
    ready = list(sample_frames(columns, token))
    whole, count = received(frame for frame, _ in ready)
    assert sum(rows for _, rows in ready) == 60_000
    assert count > 2
    assert len(whole) == (count if token is None else 1)
    got = parts.joined([columns for _, columns in whole if columns is not None])
    assert list(got.samples()) == list(columns.samples())


def test_that_a_value_that_cannot_be_sent_is_withheld_and_the_others_are_not() -> None:
    columns = some_samples([1, [None] * 5_000_000, "text", object()])
    with pytest.raises(FrameError):
        list(sample_frames(columns))
    columns, bad = withheld(columns)
    assert bad == [1, 3]
    [(_, got)], _ = received(frame for frame, _ in sample_frames(columns))
    assert got is not None
    assert [got.value(row) for row in range(4)] == [1, None, "text", None]
    assert got.quality.tolist() == [Quality.GOOD, Quality.BAD, Quality.GOOD, Quality.BAD]


def test_that_a_reply_without_an_end_is_refused() -> None:
    page = BrowseColumns(
        **{name: value[:1] for name, value in msgspec.structs.asdict(browsed(1)).items() if name not in ("errors", "resume")}
    )
    for tokens in (range(parts.OPEN_REPLIES + 1), [1] * (parts.JOINED_PARTS + 1)):
        taking = Parts()
        for token in tokens[:-1]:
            assert taking.take(Replied(token=token, browse=page, more=True, done=False), None) is None
        with pytest.raises(FrameError, match="without an end"):
            taking.take(Replied(token=tokens[-1], browse=page, more=True, done=False), None)


def test_that_parts_of_different_results_are_refused() -> None:
    taking = Parts()
    taking.take(Replied(token=1, browse=BrowseColumns(), more=True, done=False), None)
    with pytest.raises(FrameError, match="different results"):
        taking.take(Replied(token=1, rows=1), SampleColumns.of([(1, Sample(1, "int16", Quality.GOOD, 0, None, None, 1))]))
    with pytest.raises(FrameError, match="is done and goes on"):
        taking.take(Replied(token=2, browse=BrowseColumns(), more=True), None)


def test_that_a_reply_that_fails_in_the_end_is_the_failure() -> None:
    taking = Parts()
    taking.take(Replied(token=1, browse=BrowseColumns(), more=True, done=False), None)
    failed = Replied(token=1, failure=frames.Failure(what="w", where="x", why="y"))
    assert taking.take(failed, None) == (failed, None)
    assert taking.take(Replied(token=1, browse=BrowseColumns()), None) is not None


LONG = "x" * 20_000


@pytest.mark.parametrize(
    "frame",
    [
        frames.Lost(why=LONG),
        frames.Failed(failure=frames.Failure(what="w", where="x", why=LONG)),
        frames.Opened(report=EndpointReport(title="t", url="u", notes=(LONG,))),
        frames.Opened(report=EndpointReport(title="t", url="u", clock_offset_s=float("nan"))),
        frames.Opened(report=EndpointReport(title="t", url="u", as_of_ns=2**63)),
        frames.Opened(report=EndpointReport(title="t", url="u", limits={"MaxNodesPerRead": -1})),
        frames.Opened(report=EndpointReport(title="t", url="u", round_trip_s=float("inf"))),
        frames.Items(states=(ItemState(handle=1, interval_ms=float("nan")),)),
        frames.Items(states=(ItemState(handle=1, interval_ms=float("inf")),)),
        frames.Items(states=(ItemState(handle=-1),)),
        frames.Items(states=(ItemState(handle=1, refused=LONG),)),
        frames.Gap(dropped=-1),
        frames.Gap(handles=(-1,)),
        frames.Gap(handles=(1, 2, 1)),
        frames.Memory(rss_bytes=-1),
        frames.Memory(rss_bytes=2**62),
        frames.Taught(learned=Learned(limits={"read": 0})),
        frames.Taught(learned=Learned(quarantined={"a": LONG})),
        frames.Traced(exchanges=(Exchange(at_ns=2**63 - 1, sent=True, size=1, text="t"),)),
        frames.Traced(exchanges=(Exchange(at_ns=1, sent=True, size=1, text="t", round_trip_s=float("nan")),)),
    ],
    ids=str,
)
def test_that_what_those_who_show_it_take_for_granted_is_checked(frame: frames.ToParent) -> None:
    with pytest.raises(FrameError):
        frames.decode_to_parent(*split(frames.encode(frame)))


def test_that_what_a_server_says_at_length_is_clipped_before_it_is_sent() -> None:
    from app.errors import EndpointError

    failure = frames.Failure.of(EndpointError("what", where="where", why=LONG))
    assert len(failure.why) == frames.clipped(LONG).__len__() < 5_000
    frames.decode_to_parent(*split(frames.encode(frames.Failed(failure=failure))))


def test_that_the_quality_of_what_is_withheld_leaves_the_original_alone() -> None:
    columns = some_samples([object()])
    withheld(columns)
    assert np.array_equal(columns.quality, [Quality.GOOD])
