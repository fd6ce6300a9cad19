"""Notifications in columns: the samples that asyncua's decoder leads to, whatever the mix; lies are refused."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given, settings
from hypothesis import strategies as st

from app.drivers.opcua.binary import DataValue, DecodingError, Reader, decoded
from app.drivers.opcua.changes import ARRAY, ChangeReader, Changes
from app.drivers.opcua.notifications import missing, publish_body, read_publish, republish_body
from app.drivers.opcua.samples import PLAIN, Scale, sample_columns
from app.drivers.opcua.watch_table import Expected, Row, WatchTable
from app.model.columns import COLUMN_DTYPES, SampleColumns
from tests.unit.drivers.opcua.notification_values import NAMESPACES, data_values, notification, reference, ua

RECEIVE_NS = 5
NUMBER = ua.DataValue(ua.Variant(1.5))
scales = st.sampled_from([PLAIN, Scale(2.5, -1.0), Scale(enum=True), Scale(0.1, 0.0, enum=True)])
mixes = st.lists(st.tuples(st.lists(data_values, min_size=1, max_size=5), st.integers(1, 25)), max_size=3)
"""Runs, several kinds in turn, and single ones."""


def read(body: bytes, reader: ChangeReader) -> Changes:
    return decoded(lambda _: reader.read(body, NAMESPACES), body, NAMESPACES)


def columns_of(changes: Changes, item_scales: list[Scale]) -> SampleColumns:
    table = WatchTable()
    table.add(Row(client, client + 100, scale, Expected()) for client, scale in enumerate(item_scales))
    return table.sort(changes, RECEIVE_NS).columns


def check_same(columns: SampleColumns, expected: SampleColumns) -> None:
    for name, dtype in COLUMN_DTYPES.items():
        mine, theirs = getattr(columns, name), getattr(expected, name)
        assert mine.dtype == np.dtype(dtype), name
        assert np.array_equal(mine, theirs, equal_nan=name == "number"), f"{name}: {mine} instead of {theirs}"
    assert repr(dict(sorted(columns.objects.items()))) == repr(expected.objects)  # by repr: NaN in arrays, and True is not 1


@settings(max_examples=30)
@given(mixes, st.data())
def test_that_every_mix_gives_the_samples_of_asyncuas_decoder(mix: list[tuple[list[Any], int]], data: st.DataObject) -> None:
    values = [value for some, times in mix for value in some * times]
    item_scales = data.draw(st.lists(scales, min_size=len(values), max_size=len(values))) if len(values) < 30 else [PLAIN] * len(values)
    body = notification(list(enumerate(values)))
    rows = [(client + 100, value, item_scales[client]) for client, value in reference(body)]
    reader = ChangeReader()
    for _ in range(2):  # the second time by the layout that was remembered
        check_same(columns_of(read(body, reader), item_scales), sample_columns(rows, RECEIVE_NS))


@settings(max_examples=15)
@given(st.lists(data_values, min_size=1, max_size=4), st.lists(data_values, min_size=1, max_size=4), st.integers(1, 30))
def test_that_a_layout_remembered_wrongly_changes_nothing(first: list[Any], second: list[Any], times: int) -> None:
    reader = ChangeReader()
    for values in (first * times, (first * times)[:-1] + second[:1], (second * 4 * times)[: len(first) * times], first * times):
        body = notification(list(enumerate(values)))
        rows = [(client + 100, value, PLAIN) for client, value in reference(body)]
        check_same(columns_of(read(body, reader), [PLAIN] * len(values)), sample_columns(rows, RECEIVE_NS))


@pytest.mark.parametrize("kinds", [["Double"], ["Double", "Boolean", "Int32"], ["Double", "String"], ["Int64", "Float", "StatusCode"]])
def test_that_long_notifications_take_the_quick_ways(kinds: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ten thousand numbers none is read one by one; of text, only the text."""
    content = {"String": "text", "Boolean": True, "Double": 0.5, "Float": 0.5, "StatusCode": ua.StatusCode(3)}
    values = [ua.DataValue(ua.Variant(content.get(kind, 7), ua.VariantType[kind])) for kind in kinds]
    body = notification([(row, values[row % len(values)]) for row in range(10_000)])
    monkeypatch.setattr(Reader, "data_value", lambda _: pytest.fail("read one by one"))
    reader = ChangeReader()
    for _ in range(2):
        changes = read(body, reader)
        assert len(changes.others) == (5_000 if "String" in kinds else 0)


def test_that_every_mask_is_read_as_it_is_written() -> None:
    """By hand, as asyncua's encoder has the picoseconds in the wrong place."""
    fields = [
        (0x01, "<Bd", (11, 0.5)),
        (0x02, "<I", (0x40900000,)),
        (0x04, "<q", (2 * 10**17,)),
        (0x10, "<H", (7,)),
        (0x08, "<q", (3 * 10**17,)),
    ]
    fields.append((0x20, "<H", (9,)))
    items = [
        struct.pack("<IB", mask, mask) + b"".join(struct.pack(form, *told) for bit, form, told in fields if mask & bit)
        for mask in range(64)
    ]
    for some in (items, [item for item in items for _ in range(20)], items[1:2] * 20 + items):
        body = struct.pack("<i", len(some)) + b"".join(some)
        changes = read(body, ChangeReader())
        masks = changes.client
        assert sorted(set(masks.tolist())) == list(range(64))
        assert np.array_equal(np.isnan(changes.number), masks & 1 == 0)
        assert np.array_equal(changes.status, np.where(masks & 2, 0x40900000, 0))
        assert np.array_equal(changes.source, np.where(masks & 4, 2 * 10**17, 0))
        assert np.array_equal(changes.server, np.where(masks & 8, 3 * 10**17, 0))


@settings(max_examples=40)
@given(st.lists(data_values, min_size=1, max_size=5), st.integers(1, 10), st.data())
def test_that_hostile_bytes_are_refused_as_such_and_reserve_nothing(values: list[Any], times: int, data: st.DataObject) -> None:
    body = bytearray(notification(list(enumerate(values * times))))
    reader = ChangeReader()
    read(bytes(body), reader)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + 1] = data.draw(st.binary(max_size=2))
    cut = bytes(body[: data.draw(st.integers(0, len(body)))])
    try:
        changes = read(cut, reader)
    except DecodingError:
        return
    assert len(changes) * 5 <= len(cut)
    columns_of(changes, [PLAIN] * 50)


def test_that_more_values_than_bytes_are_refused_before_anything_is_reserved() -> None:
    with pytest.raises(DecodingError, match="2147483647 values announced, 20 bytes left"):
        read(struct.pack("<i", 2**31 - 1) + bytes(20), ChangeReader())


def test_that_a_null_list_of_values_is_empty() -> None:
    assert len(read(struct.pack("<i", -1), ChangeReader())) == 0


def test_that_values_of_another_type_than_identified_are_in_no_column() -> None:
    kinds = {
        1: (Expected(11, -1), 1.5),
        2: (Expected(11, -1), "text"),
        3: (Expected(11, 1), 1.5),
        4: (Expected(11, -1), None),
        5: (Expected(), True),
    }
    table = WatchTable()
    table.add(Row(client, client, PLAIN, expected) for client, (expected, _) in kinds.items())
    body = notification([(client, ua.DataValue(ua.Variant(value))) for client, (_, value) in kinds.items()])
    found = table.sort(read(body, ChangeReader()), RECEIVE_NS)
    assert found.strangers == (2, 3)
    assert found.columns.handle.tolist() == [1, 4, 5]
    assert [found.columns.value(row) for row in range(3)] == [1.5, None, True]


def test_that_items_removed_or_never_known_are_left_out_and_handles_go_on_rising() -> None:
    table = WatchTable()
    for first in range(0, 50_000, 1_000):
        table.add(Row(client, client, PLAIN, Expected()) for client in range(first, first + 1_000))
        table.remove(range(first - 1_000, first))
    body = notification([(client, NUMBER) for client in (0, 48_999, 49_000, 49_999, 50_000, 2**32 - 1)])
    assert table.sort(read(body, ChangeReader()), RECEIVE_NS).columns.handle.tolist() == [49_000, 49_999]
    assert len(table) == 1_000
    assert len(table._live) < 5_000, "memory follows what is in use"


def test_that_overflow_and_vanished_nodes_are_told() -> None:
    statuses = {1: 0x480, 2: 0x80340000, 3: 0x80330000, 4: 0x80350000, 5: 0}
    table = WatchTable()
    table.add(Row(client, client + 10, PLAIN, Expected()) for client in statuses)
    body = notification([(client, ua.DataValue(ua.Variant(), ua.StatusCode(status))) for client, status in statuses.items()])
    found = table.sort(read(body, ChangeReader()), RECEIVE_NS)
    assert found.overflown == (11,)
    assert found.vanished == (2, 3)


def test_that_after_its_node_went_an_items_values_are_another_nodes() -> None:
    table = WatchTable()
    table.add(Row(client, client, PLAIN, Expected(11, -1)) for client in (1, 2))
    gone = ua.DataValue(ua.Variant(), ua.StatusCode(0x80340000))
    found = table.sort(read(notification([(1, NUMBER), (2, NUMBER), (1, gone), (1, NUMBER), (2, NUMBER)]), ChangeReader()), RECEIVE_NS)
    assert (found.columns.handle.tolist(), found.columns.quality.tolist()) == ([1, 2, 1, 2], [0, 0, 2, 0])
    assert (found.vanished, found.strangers) == ((1,), (1,))
    table.add([Row(5_000, 3, PLAIN, Expected())])  # which makes it grow
    found = table.sort(read(notification([(1, NUMBER), (2, NUMBER), (1, gone)]), ChangeReader()), RECEIVE_NS)
    assert (found.columns.handle.tolist(), found.strangers) == ([2, 1], (1,))


def test_that_arrays_are_marked_as_such() -> None:
    changes = read(notification([(1, ua.DataValue(ua.Variant([1.5, 2.5])))]), ChangeReader())
    assert changes.builtin.tolist() == [11 | ARRAY]
    assert changes.others == {0: DataValue(11, True, [1.5, 2.5], 0, 0, 0)}


def test_that_what_was_published_is_read_whole() -> None:
    answer = ua.PublishResponse()
    message = answer.Parameters.NotificationMessage
    answer.Parameters.SubscriptionId, answer.Parameters.AvailableSequenceNumbers, answer.Parameters.MoreNotifications = 7, [3, 4], True
    message.SequenceNumber = 4
    part = ua.DataChangeNotification(MonitoredItems=[ua.MonitoredItemNotification(1, NUMBER)])
    message.NotificationData = [part, ua.EventNotificationList(), part]
    read_ = read_publish(struct_to_binary(answer), NAMESPACES, ChangeReader())
    assert (read_.subscription, read_.sequence, read_.available, read_.more, read_.is_keep_alive) == (7, 4, (3, 4), True, False)
    assert [part.number.tolist() for part in read_.parts] == [[1.5], [1.5]]
    message.NotificationData = [ua.StatusChangeNotification(ua.StatusCode(0x800A0000))]
    assert read_publish(struct_to_binary(answer), NAMESPACES, ChangeReader()).dropped == "BadTimeout (0x800A0000)"
    message.NotificationData = []
    assert read_publish(struct_to_binary(answer), NAMESPACES, ChangeReader()).is_keep_alive


def test_that_our_publish_requests_are_those_of_asyncua() -> None:
    request = ua.PublishRequest()
    request.Parameters.SubscriptionAcknowledgements = [ua.SubscriptionAcknowledgement(7, 2**32 - 1), ua.SubscriptionAcknowledgement(8, 1)]
    assert struct_to_binary(request).endswith(publish_body([(7, 2**32 - 1), (8, 1)]))
    assert len(struct_to_binary(ua.PublishRequest())) + 16 == len(struct_to_binary(request))
    again = ua.RepublishRequest()
    again.Parameters.SubscriptionId, again.Parameters.RetransmitSequenceNumber = 7, 9
    assert struct_to_binary(again).endswith(republish_body(7, 9))


@pytest.mark.parametrize(
    ("last", "now", "lost"),
    [(1, 2, []), (1, 4, [2, 3]), (2**32 - 1, 1, []), (5, 5, None), (5, 3, None), (1, 1000, None), (2**32 - 2, 1, None)],
)
def test_that_numbers_between_two_messages_are_missing_and_a_new_beginning_is_none(last: int, now: int, lost: list[int] | None) -> None:
    found = missing(last, now, 100)
    assert (None if found is None else list(found)) == lost
