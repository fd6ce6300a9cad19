"""What polling costs: the real plan of block reads, and the time they take on the line. Pure arithmetic."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from app.drivers.base import EndpointConfig, EndpointReport, Load, SettingField, WatchItem
from app.drivers.modbus.address import BIT_TABLES, parse
from app.drivers.modbus.bus import bus_time_s
from app.drivers.modbus.plan import Extent, Forbidden, Limits, plan
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.modbus.url import ModbusUrl
from app.errors import UserError

FULL: Final = 1.0
HIGH: Final = 0.6
"""Above that little is left for what other masters, retries and slow answers take."""
TCP_FRAME: Final = 12 + 9
"""Bytes of a read request and of its reply without the registers (Modbus Messaging on TCP/IP V1.0b §3.1)."""
RTU_FRAME: Final = 8 + 5


def load_of(config: EndpointConfig, fields: Sequence[SettingField], items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
    """Items of different intervals count as if they were never read together."""
    url = ModbusUrl(config.url)
    settings = {field.name: config.settings.get(field.name, field.default) for field in fields}
    limits = Limits(int(settings["max_registers"]), int(settings["max_bits"]), int(settings["gap"]))
    forbidden = Forbidden(excluded=tuple(parse_ranges(str(settings["forbidden"]), url.unit)))
    by_interval, bad = defaultdict[int, list[Extent]](list), 0
    for item in items:
        try:
            address = parse(item.address)
        except UserError:
            bad += 1
            continue
        unit = url.unit if address.unit is None else address.unit
        by_interval[max(item.interval_ms, 1)].append(Extent(unit, address.table, address.address, address.count))
    requests = values = data = line = 0.0
    for interval_ms, extents in by_interval.items():
        blocks = plan(extents, limits, forbidden)
        registers = [_registers(block.extent) for block in blocks]
        per_s = 1000 / interval_ms
        requests += len(blocks) * per_s
        values += len(extents) * per_s
        data += (sum(registers) * 2 + len(blocks) * (RTU_FRAME if url.is_serial else TCP_FRAME)) * per_s
        line += bus_time_s(config.url, registers) * per_s
    each_s = (report.round_trip_s if report is not None else 0.0) + float(settings["pause_ms"]) / 1000
    busy = max(line, requests * each_s)
    warnings = [_busy_text(url, requests, line, each_s)] if busy > HIGH else []
    if bad:
        warnings.append(f"{bad:,} of the addresses are none and are not read.")
    known = url.transport == "rtu" or each_s > 0
    return Load(
        requests_per_s=requests, values_per_s=values, bytes_per_s=data, busy=busy if known else None, warnings=tuple(warnings)
    )  # fmt: skip


def _registers(extent: Extent) -> int:
    return -(-extent.length // 16) if extent.table in BIT_TABLES else extent.length


def _busy_text(url: ModbusUrl, requests: float, line: float, each_s: float) -> str:
    if line >= requests * each_s:
        what = f"at {url.baudrate} baud the serial line is busy {line:.0%} of the time, without the time that devices take to answer"
    else:
        what = f"{requests:,.1f} requests a second, one at a time and {each_s * 1000:.0f} ms each, take {requests * each_s:.0%} of the time"
    if max(line, requests * each_s) > FULL:
        return f"More than the device can answer: {what}. Values come more rarely than asked for."
    return f"Little room is left: {what}."
