"""Monitored items on the wire as asyncua has them, how much a server is asked to keep, and how many Publish requests should wait."""

from __future__ import annotations

import math
import struct

import pytest
from asyncua.ua.ua_binary import nodeid_to_binary, struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from app.drivers.opcua.binary import DecodingError, ResultError
from app.drivers.opcua.monitoring import (
    Granted,
    Wanted,
    create_body,
    delete_body,
    queue_size,
    read_created,
    read_deleted,
    too_short,
)
from app.drivers.opcua.session_subscription import waiting
from tests.unit.drivers.opcua.notification_values import node_ids, ua

wanted = st.builds(
    Wanted,
    node_ids.map(nodeid_to_binary),
    st.integers(0, 2**32 - 1),
    st.floats(0, 1e6),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 0.5]),
)


@given(st.lists(wanted, max_size=4))
def test_that_our_requests_for_monitored_items_are_those_of_asyncua(items: list[Wanted]) -> None:
    request = ua.CreateMonitoredItemsRequest()
    request.Parameters.SubscriptionId = 7
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
    request.Parameters.ItemsToCreate = [
        ua.MonitoredItemCreateRequest(
            ua.ReadValueId(ua.NodeId(1), ua.AttributeIds.Value),
            ua.MonitoringMode.Reporting,
            ua.MonitoringParameters(
                item.client,
                item.interval_ms,
                ua.DataChangeFilter(ua.DataChangeTrigger.StatusValue, 1, item.deadband) if item.deadband else None,
                item.queue_size,
                True,
            ),
        )
        for item in items
    ]
    same_node = [item._replace(node=nodeid_to_binary(ua.NodeId(1))) for item in items]
    assert struct_to_binary(request).endswith(create_body(7, same_node))
    assert len(create_body(7, items)) - len(create_body(7, same_node)) == sum(len(item.node) - 2 for item in items)


def test_that_what_was_granted_is_read_item_by_item() -> None:
    answer = ua.CreateMonitoredItemsResponse()
    answer.Results = [
        ua.MonitoredItemCreateResult(ua.StatusCode(0), 5, 100.0, 10),
        ua.MonitoredItemCreateResult(ua.StatusCode(0x80340000), 0, 0.0, 0),
    ]
    assert read_created(struct_to_binary(answer)) == [Granted(0, 5, 100.0, 10), Granted(0x80340000, 0, 0.0, 0)]
    answer.ResponseHeader.ServiceResult = ua.StatusCode(0x80280000)
    with pytest.raises(ResultError) as refused:
        read_created(struct_to_binary(answer))
    assert refused.value.status == 0x80280000


def test_that_deleting_is_as_asyncua_does_it() -> None:
    request = ua.DeleteMonitoredItemsRequest()
    request.Parameters.SubscriptionId, request.Parameters.MonitoredItemIds = 7, [1, 2**32 - 1]
    assert struct_to_binary(request).endswith(delete_body(7, [1, 2**32 - 1]))
    answer = ua.DeleteMonitoredItemsResponse()
    answer.Results = [ua.StatusCode(0), ua.StatusCode(0x80420000)]
    assert read_deleted(struct_to_binary(answer)) == [0, 0x80420000]


@given(st.data())
def test_that_cut_answers_are_refused_as_such(data: st.DataObject) -> None:
    answer = ua.CreateMonitoredItemsResponse()
    answer.Results = [ua.MonitoredItemCreateResult(ua.StatusCode(0), 5, 100.0, 10)] * 3
    whole = struct_to_binary(answer)
    with pytest.raises(DecodingError):
        read_created(whole[: data.draw(st.integers(0, len(whole) - 5))])  # the last four bytes are the diagnostics
    with pytest.raises(DecodingError, match="announced"):
        read_created(whole.replace(struct.pack("<i", 3), struct.pack("<i", 2**31 - 1)))


@pytest.mark.parametrize("interval_ms", [math.nan, math.inf, -1.0, 5e-324, 1e300])
def test_that_an_interval_without_sense_is_as_none(interval_ms: float) -> None:
    answer = ua.CreateMonitoredItemsResponse()
    answer.Results = [ua.MonitoredItemCreateResult(ua.StatusCode(0), 5, interval_ms, 10)]
    (granted,) = read_created(struct_to_binary(answer))
    assert granted.interval_ms == 0.0
    assert too_short(granted, 200.0) == ""


@pytest.mark.parametrize(
    ("asked", "interval_ms", "publishing_ms", "size"),
    [
        (10, 1000, 200, 10),
        (1, 1000, 200, 10),
        (10, 100, 200, 100),
        (10, 10, 200, 100),
        (10, 1, 1000, 1001),
        (500, 1000, 200, 500),
        (1, 0, 200, 201),
    ],
)
def test_that_a_server_keeps_ten_seconds_of_values_but_no_more_than_a_hundred_for_that(
    asked: int, interval_ms: float, publishing_ms: float, size: int
) -> None:
    assert queue_size(asked, interval_ms, publishing_ms) == size


def test_that_a_queue_that_loses_values_between_two_publishes_is_told() -> None:
    assert too_short(Granted(0, 1, 100.0, 10), 200.0) == ""
    assert too_short(Granted(0, 1, 1000.0, 1), 200.0) == ""
    assert too_short(Granted(0, 1, 0.0, 1), 200.0) == "", "reported as it changes"
    told = too_short(Granted(0, 1, 50.0, 1), 200.0)
    assert told == "the server samples it every 50 ms, publishes every 200 ms and keeps only one value in between"


@pytest.mark.parametrize(
    ("round_trip_s", "publishing_ms", "count"),
    [(0.0, 200, 2), (0.001, 1000, 2), (0.2, 200, 2), (0.201, 200, 3), (0.2, 50, 5), (1.2, 100, 13), (60.0, 10, 32)],
)
def test_that_so_many_publish_requests_wait_that_none_is_missing_for_a_round_trip(
    round_trip_s: float, publishing_ms: float, count: int
) -> None:
    assert waiting(round_trip_s, publishing_ms) == count
