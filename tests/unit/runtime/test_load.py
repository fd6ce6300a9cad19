"""What watching costs is told before it is asked for, by the plan that would really be polled."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.drivers.base import EndpointReport
from app.errors import UserError
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project, ProjectInfo
from app.runtime.load import LoadEstimate, estimate_tags, load_text
from tests.unit.runtime.conftest import Bench, endpoint, tag

Make = Callable[..., Bench]
FAST = Group(id="fast", name="fast", interval_ms=100)
SLOW = Group(id="slow", name="slow", interval_ms=2000)


def estimated(
    url: str, addresses: list[str], report: EndpointReport | None = None, group: str = "", **settings: float | str
) -> LoadEstimate:
    tags = [Tag(id=f"t{place}", endpoint="e", address=address, name=f"t{place}", group=group) for place, address in enumerate(addresses)]
    held = Endpoint(id="e", name="E", addresses={"default": url}, settings=dict(settings))
    project = Project(ProjectInfo(id="p", name="P"), [held, FAST, SLOW, *tags])
    return estimate_tags(project, "e", [one.id for one in tags] + ["nothing"], report)


def test_that_registers_that_lie_together_cost_one_request() -> None:
    one = estimated("modbus://plc", [f"holding:{number}" for number in range(100)])
    assert (one.items, one.requests_per_s, one.values_per_s, one.busy, one.warnings) == (100, 1.0, 100.0, None, ())
    assert one.bytes_per_s == 12 + 9 + 200
    far = estimated("modbus://plc", [f"holding:{number}" for number in range(0, 10_000, 100)])
    assert far.requests_per_s == 100


def test_that_the_settings_of_the_endpoint_count() -> None:
    addresses = [f"holding:{number}" for number in range(100)]
    assert estimated("modbus://plc", addresses, max_registers=10).requests_per_s == 10
    assert estimated("modbus://plc", ["holding:0", "holding:5"], gap=0).requests_per_s == 2
    assert estimated("modbus://plc", ["holding:0", "holding:5"], forbidden="holding:2").requests_per_s == 2


def test_that_each_interval_is_a_poll_of_its_own() -> None:
    assert estimated("modbus://plc", ["holding:0"], group="fast").requests_per_s == 10
    assert estimated("modbus://plc", ["holding:0"], group="slow").requests_per_s == 0.5


def test_that_a_serial_line_says_how_busy_it_is_and_when_that_is_too_much() -> None:
    line = "modbus-rtu:/dev/ttyUSB0?baudrate=9600"
    calm = estimated(line, [f"holding:{number}" for number in range(20)])
    assert calm.busy is not None
    assert 0.05 < calm.busy < 0.1  # 8 + 45 characters of 11 bits at 9600 baud, and two gaps: 69 ms of each second
    assert calm.warnings == ()
    high = estimated(line, [f"{unit}/holding:{number}" for unit in range(1, 11) for number in range(20)])
    assert high.busy == pytest.approx(10 * calm.busy)
    assert high.warnings[0].startswith("Little room is left: at 9600 baud the serial line is busy 69% of the time")
    full = estimated(line, [f"{unit}/holding:{number}" for unit in range(1, 21) for number in range(20)])
    assert full.warnings[0].startswith("More than the device can answer")
    assert full.warnings[0].endswith("Values come more rarely than asked for.")


def test_that_a_device_that_answers_one_request_at_a_time_has_only_so_much_time() -> None:
    report = EndpointReport(title="gateway", url="modbus://gateway", round_trip_s=0.08)
    addresses = [f"{unit}/holding:0" for unit in range(1, 6)]
    calm = estimated("modbus://gateway", addresses, report)
    assert calm.busy == pytest.approx(0.4)
    assert calm.warnings == ()
    assert estimated("modbus://gateway", addresses, report, pause_ms=50).busy == pytest.approx(0.65)
    full = estimated("modbus://gateway", addresses, report, group="fast")
    assert full.warnings == (
        "More than the device can answer: 50.0 requests a second, one at a time and 80 ms each, take 400% of the time."
        " Values come more rarely than asked for.",
    )


def test_that_addresses_that_are_none_are_counted_and_do_no_harm() -> None:
    one = estimated("modbus://plc", ["holding:0", "nonsense"])
    assert one.requests_per_s == 1
    assert one.warnings == ("1 of the addresses are none and are not read.",)


def test_that_opcua_counts_values_and_publishes() -> None:
    nodes = [f"nsu=urn:x;i={number}" for number in range(50)]
    one = estimated("opc.tcp://plc", nodes, publishing_interval_ms=500)
    assert (one.requests_per_s, one.values_per_s, one.busy) == (2, 50, None)
    assert one.bytes_per_s == 50 * 30 + 2 * 185
    assert estimated("opc.tcp://plc", nodes[:1], group="slow").requests_per_s == 0.5  # no more often than there is something


def test_that_what_the_server_does_not_allow_is_said_first() -> None:
    limits = {"MaxMonitoredItems": 40, "MaxMonitoredItemsPerSubscription": 30, "MinSupportedSampleRate": 250}
    report = EndpointReport(title="plc", url="opc.tcp://plc", limits=limits, found={"monitor": 2})
    one = estimated("opc.tcp://plc", [f"nsu=urn:x;i={number}" for number in range(50)], report, group="fast")
    assert one.values_per_s == 200  # every 250 ms and not every 100
    assert one.warnings == (
        "50 items are more than the 40 that the server watches in all (MaxMonitoredItems).",
        "50 items are more than the 30 that the server watches in one subscription (MaxMonitoredItemsPerSubscription).",
        "50 items are asked for faster than every 250 ms, the fastest that the server samples.",
        "The server takes 2 items at once: 25 requests until all are watched (MaxMonitoredItemsPerCall).",
    )
    assert estimated("opc.tcp://plc", ["i=1"], EndpointReport(title="plc", url="", limits=dict.fromkeys(limits, 0))).warnings == ()


def test_that_the_text_names_the_endpoint_and_puts_warnings_below() -> None:
    one = LoadEstimate(1234, 12.34, 1234.0, 45_678.0, 0.72, ("Too much.",))
    other = LoadEstimate(1, 0.5, 1.0, 30.0)
    assert load_text([("line", one), ("meter", other)]) == (
        "line: 1,234 items, at most 1,234 values/s in 12 requests/s, 45.7 kB/s, busy 72% of the time\n"
        "Too much.\n"
        "meter: 1 item, at most 1 values/s in 0.5 requests/s, 0.0 kB/s"
    )


def test_that_a_live_project_estimates_by_endpoint_and_where_it_is_reached(bench: Make) -> None:
    one = bench(endpoint(), endpoint("f"), tag("a", "v:1"), tag("b", "v:2"), tag("c", "v:3", endpoint="f"))
    assert [(name, load.items, load.values_per_s) for name, load in one.live.estimate(["a", "b", "c", "nothing"])] == [
        ("E", 2, 2),
        ("F", 1, 1),
    ]
    with pytest.raises(UserError, match="Not a Modbus URL"):
        estimated("modbus://", ["holding:0"])
