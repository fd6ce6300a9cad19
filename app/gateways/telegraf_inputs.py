"""The inputs of a Telegraf configuration, and what Telegraf cannot read or reads differently.

Read in Telegraf's source (1.39.0): an OPC UA value whose status is not in the list of valid ones is not passed on, the last value is
repeated with the new status; a Modbus request that fails ends the cycle of its unit without a metric; requests of one plugin
instance share one connection and one rate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Final, cast

from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.url import ModbusUrl
from app.drivers.opcua.address import UA_NAMESPACE, NodeAddress
from app.drivers.opcua.status import status_names
from app.gateways.base import Loss
from app.gateways.feeds import NOT_SENT, Connection, Feed, Feeds
from app.gateways.modbus_blocks import PollBlock, RegisterItem, blocks_of, int_setting, limits_of, seconds_setting, stale_ms, undecoded
from app.gateways.modbus_transports import over_tls, transport_losses
from app.gateways.telegraf_toml import Reference
from app.gateways.variables import variable
from app.model.project import Project
from app.model.values import NUMERIC_TYPES

Toml = dict[str, object]

POLICIES: Final = ("None", "Basic128Rsa15", "Basic256", "Basic256Sha256")
UNREADABLE: Final = {"guid": "a GUID", "bytes": "a byte string", "struct": "a structure"}
SILENT_MS: Final = 10_000
"""Without a new server time for this long an OPC UA connection counts as lost. The server time is asked for every second."""
SERVER_TIME: Final = "ns=0;i=2258"  # Server_ServerStatus_CurrentTime, OPC 10000-5 §6.3.1
TIMESTAMP_FORMAT: Final = "2006-01-02T15:04:05.000000000Z07:00"  # Go's way to ask for nine digits
_INFO_BITS: Final = [0x400 | limit << 8 | overflow for overflow in (0, 0x80) for limit in range(4)]
"""Lower half of a status: value information with limit bits and overflow, OPC 10000-4 §7.39."""


def valid_codes() -> list[int]:
    """Statuses whose value may be used: good and uncertain ones, good ones also with limit and overflow bits."""
    known = [code for code in sorted(status_names()) if code >> 30 < 2]
    return sorted({0, *known, *_INFO_BITS})


def refuse_unsupported(found: Feeds) -> None:
    kept: list[Feed] = []
    secured = over_tls(found.connections)
    for connection in found.connections:
        found.losses += _connection_losses(connection, found.of(connection.endpoint.id))
    for feed in found.feeds:
        if why := _refusal(feed) or ("Modbus over TLS, which Telegraf does not speak" if feed.endpoint.id in secured else ""):
            found.losses.append(Loss(feed.place, why, NOT_SENT, "error"))
            continue
        found.losses += _differences(feed)
        kept.append(feed)
    found.keep(kept)
    found.connections = [connection for connection in found.connections if connection.endpoint.id not in secured]


def _refusal(feed: Feed) -> str:
    if not isinstance(feed.address, NodeAddress):
        return undecoded(feed.address, "Telegraf")
    base = feed.tag.type.removesuffix("[]")
    if base in UNREADABLE:
        return f"{UNREADABLE[base]}, which Telegraf does not pass on"
    if ";" in feed.address.uri:
        return f"the namespace URI {feed.address.uri} has a semicolon, at which Telegraf cuts it"
    if feed.endpoint.security.policy not in POLICIES:
        return f"the security policy {feed.endpoint.security.policy} of {feed.endpoint.name}, which Telegraf does not have"
    return ""


def _connection_losses(connection: Connection, feeds: Sequence[Feed]) -> list[Loss]:
    place = connection.endpoint.name
    if connection.protocol == "modbus":
        return [*_modbus_losses(connection, feeds), *transport_losses(connection, "Telegraf")]
    losses = [
        Loss(place, "values with a bad status", "they are sent as null; Telegraf repeats the last good one for them", "info"),
        Loss(place, "status flags (limit, overflow) of uncertain values", "such values are sent as null with bad quality", "info"),
    ]
    if any(feed.tag.type.removesuffix("[]") == "string" for feed in feeds):
        losses.append(
            Loss(
                place,
                "texts with a language (LocalizedText)",
                "Telegraf passes on plain strings only: they are sent as null with bad quality",
            )
        )
    if connection.endpoint.security.mode != "None":
        losses.append(Loss(place, "trust in the server's certificate", "Telegraf accepts the certificate that the server offers"))
    if any(feed.mapping.time == "server" for feed in feeds) and any(feed.mapping.time != "server" for feed in feeds):
        losses.append(Loss(place, "source and server times of one connection", "two sessions are opened, one for each", "info"))
    return losses


def _modbus_losses(connection: Connection, feeds: Sequence[Feed]) -> list[Loss]:
    endpoint = connection.endpoint
    losses = [Loss(endpoint.name, "the exception code of a refused poll", "its attributes turn bad only after three missed polls", "info")]
    rates = {feed.interval_ms for feed in feeds}
    if len(rates) > 1 and ModbusUrl(connection.url).is_serial:
        losses.append(Loss(endpoint.name, f"{len(rates)} poll rates on one serial line", f"all is polled every {min(rates)} ms"))
    elif len(rates) > 1:
        losses.append(
            Loss(endpoint.name, f"{len(rates)} poll rates on one connection", f"Telegraf opens {len(rates)} connections to the device")
        )
    return losses


def _differences(feed: Feed) -> list[Loss]:
    if not isinstance(feed.address, NodeAddress) or feed.deadband <= 0 or _is_numeric(feed):
        return []
    return [Loss(feed.place, f"deadband {feed.deadband:g} of a value that is no single number", "every change is sent", "info")]


def _is_numeric(feed: Feed) -> bool:
    return feed.tag.type in NUMERIC_TYPES


# --- OPC UA ----------------------------------------------------------------------------------------------------------------


def add_opcua(
    inputs: dict[str, list[Toml]], plan: Toml, project: Project, connection: Connection, feeds: Sequence[Feed], losses: list[Loss]
) -> dict[str, str]:
    """One plugin for source times, one for server times where they are asked for. Gives mapping id → source id."""
    del project, losses
    sources: dict[str, str] = {}
    for clock in ("source", "server"):
        members = [feed for feed in feeds if (feed.mapping.time == "server") == (clock == "server")]
        if members:
            sources |= _listener(inputs, plan, connection, members, clock)
    return sources


def _listener(inputs: dict[str, list[Toml]], plan: Toml, connection: Connection, feeds: Sequence[Feed], clock: str) -> dict[str, str]:
    watch = f"{connection.endpoint.id}.{clock}"
    cast("dict[str, int]", plan["watches"])[watch] = SILENT_MS
    known = cast("dict[str, Toml]", plan["sources"])
    by_node: dict[str, list[Feed]] = defaultdict(list)
    for feed in feeds:
        by_node[_node_text(feed)].append(feed)
    sources: dict[str, str] = {}
    nodes: list[Toml] = []
    for node, members in by_node.items():
        source = f"{members[0].tag.id}.{clock}"
        known[source] = {"watch": watch, "clock": clock, "type": members[0].tag.type}
        sources |= {feed.mapping.id: source for feed in members}
        nodes.append({"name": "v", "id": node, "default_tags": {"source": source}, "monitoring_params": _monitoring(members)})
    alive = {"sampling_interval": "1000ms", "queue_size": 1, "discard_oldest": True}
    nodes.append({"name": "v", "id": SERVER_TIME, "default_tags": {"watch": watch}, "monitoring_params": alive})
    inputs.setdefault("opcua_listener", []).append({**_session(connection, clock), "group": [{"name": "tagloom_opcua", "nodes": nodes}]})
    return sources


def _node_text(feed: Feed) -> str:
    """By URI, so that a changed order of namespaces does no harm. Telegraf compares the URI as it stands, without escapes."""
    address = cast("NodeAddress", feed.address)
    head = "ns=0" if address.uri == UA_NAMESPACE else f"nsu={address.uri}"
    return f"{head};{address.kind}={address.identifier}"


def _monitoring(feeds: Sequence[Feed]) -> Toml:
    """Fastest rate, longest queue; the server's deadband only where all who share the node ask for one."""
    made: Toml = {
        "sampling_interval": f"{min(feed.interval_ms for feed in feeds)}ms",
        "queue_size": max(feed.queue_size for feed in feeds),
        "discard_oldest": True,
    }
    deadbands = [feed.deadband / abs(feed.tag.gain or 1.0) for feed in feeds if _is_numeric(feed)]
    if deadbands and min(deadbands) > 0:
        made["data_change_filter"] = {"trigger": "StatusValue", "deadband_type": "Absolute", "deadband_value": min(deadbands)}
    return made


def _session(connection: Connection, clock: str) -> Toml:
    endpoint, security = connection.endpoint, connection.endpoint.security
    timeout_ms = max(100, round(1000 * seconds_setting(endpoint, "timeout_s", 10.0)))
    made: Toml = {
        "alias": f"{endpoint.id}.{clock}",
        "endpoint": connection.url,
        "connect_timeout": f"{timeout_ms}ms",
        "request_timeout": f"{timeout_ms}ms",
        "connect_fail_behavior": "retry",
        "subscription_interval": f"{max(10, int_setting(endpoint, 'publishing_interval_ms', 200))}ms",
        "security_policy": security.policy,
        "security_mode": security.mode,
        "auth_method": {"anonymous": "Anonymous", "password": "UserName", "certificate": "Certificate"}[security.user],
        "timestamp": clock,
        "timestamp_format": TIMESTAMP_FORMAT,
        "workarounds": {"additional_valid_status_codes": [f"0x{code:08X}" for code in valid_codes() if code]},
    }
    made |= {"certificate": "", "private_key": ""}  # the defaults are paths under /etc, which are missed loudly
    if security.mode != "None" or security.user == "certificate":
        made |= {"certificate": Reference(variable(endpoint.id, "CERT")), "private_key": Reference(variable(endpoint.id, "KEY"))}
    if security.user == "password":
        made |= {"username": Reference(variable(endpoint.id, "USER")), "password": Reference(variable(endpoint.id, "PASSWORD"))}
    return made


# --- Modbus ----------------------------------------------------------------------------------------------------------------


def add_modbus(
    inputs: dict[str, list[Toml]], plan: Toml, project: Project, connection: Connection, feeds: Sequence[Feed], losses: list[Loss]
) -> dict[str, str]:
    """One plugin per poll rate, one request per planned block. Gives mapping id → source id."""
    endpoint = connection.endpoint
    blocks, sources = blocks_of(project, endpoint, feeds, unit=ModbusUrl(connection.url).unit, by_order=True)
    timeout_s, retries = seconds_setting(endpoint, "timeout_s", 1.0), int_setting(endpoint, "retries", 1)
    by_rate: dict[int, list[PollBlock]] = defaultdict(list)
    for block in blocks:
        by_rate[block.interval_ms].append(block)
        cast("dict[str, int]", plan["watches"])[block.id] = stale_ms(block, timeout_s, retries)
        for item in block.items:
            cast("dict[str, Toml]", plan["sources"])[item.source] = {"watch": block.id}
    shared = Counter((block.extent.unit, block.interval_ms) for block in blocks)
    losses += [
        Loss(endpoint.name, f"requests to unit {unit} that fail one by one", "one refused request stops the others of this unit")
        for unit in sorted({unit for (unit, _), count in shared.items() if count > 1})
    ]
    if ModbusUrl(connection.url).is_serial and blocks:  # two plugins would talk at the same time: each has a connection of its own
        by_rate = {min(by_rate): blocks}
    for interval_ms, members in sorted(by_rate.items()):
        inputs.setdefault("modbus", []).append(_poller(plan, connection, interval_ms, members))
    return sources


def _poller(plan: Toml, connection: Connection, interval_ms: int, blocks: Sequence[PollBlock]) -> Toml:
    endpoint, url, limits = connection.endpoint, ModbusUrl(connection.url), limits_of(connection.endpoint)
    return {
        "alias": f"{endpoint.id}.{interval_ms}",
        "interval": f"{interval_ms}ms",
        "name": endpoint.id,
        **_controller(url),
        "timeout": f"{round(1000 * seconds_setting(endpoint, 'timeout_s', 1.0))}ms",
        "busy_retries": int_setting(endpoint, "retries", 1),
        "configuration_type": "request",
        "exclude_register_type_tag": True,
        "request": [_request(plan, block) for block in blocks],
        "workarounds": {
            "pause_between_requests": f"{int_setting(endpoint, 'pause_ms', 0)}ms",
            "max_word_registers_per_request": limits.max_registers,
            "max_bit_registers_per_request": limits.max_bits,
        },
    }


def _controller(url: ModbusUrl) -> Toml:
    if url.transport == "rtu":
        return {
            "controller": url.device if url.device.startswith("COM") else f"file://{url.device}",
            "transmission_mode": "RTU",
            "baud_rate": url.baudrate,
            "data_bits": url.bytesize,
            "parity": url.parity,
            "stop_bits": url.stopbits,
        }
    mode = {"transmission_mode": "RTUoverTCP"} if url.transport == "rtutcp" else {}
    return {"controller": f"tcp://{url.where}", **mode}


def _request(plan: Toml, block: PollBlock) -> Toml:
    made: Toml = {
        "slave_id": block.extent.unit, "register": block.extent.table, "measurement": "tagloom_modbus", "optimization": "none",
        "fields": _fields(plan, block), "tags": {"watch": block.id},
    }  # fmt: skip
    if block.extent.table not in BIT_TABLES:
        made["byte_order"] = block.items[0].order
    return made


def _fields(plan: Toml, block: PollBlock) -> list[Toml]:
    """Every register of the block once: items, and registers that are only read along. Bits of one register share its field."""
    known = cast("dict[str, list[Toml]]", plan["fields"])
    fields: dict[str, Toml] = {}
    covered: set[int] = set()
    for item in sorted(block.items, key=lambda item: (item.address.address, -item.address.count)):
        kind = "UINT16" if item.address.bit is not None else _kind(item)
        name = f"{block.id}.{item.address.address}.{kind or 'bit'}" + (f".{item.address.length}" if kind == "STRING" else "")
        if name not in fields:
            fields[name] = _field(item, name, kind)
            known[name] = []
        known[name].append({"source": item.source, "bit": item.address.bit, "type": item.address.type, "length": item.address.length})
        covered.update(range(item.address.address, item.address.address + item.address.count))
    gaps = [address for address in range(block.extent.address, block.extent.end) if address not in covered]
    filler: Toml = {} if block.extent.table in BIT_TABLES else {"type": "UINT16"}
    made = [*fields.values(), *({"address": address, "name": "", "omit": True, **filler} for address in gaps)]
    return sorted(made, key=lambda field: cast("int", field["address"]))


def _kind(item: RegisterItem) -> str:
    if item.address.table in BIT_TABLES:
        return ""
    return "STRING" if item.address.type == "string" else item.address.type.upper()


def _field(item: RegisterItem, name: str, kind: str) -> Toml:
    made: Toml = {"address": item.address.address, "name": name}
    if not kind:
        return {**made, "output": "BOOL"}
    return {**made, "type": kind, "length": item.address.count} if kind == "STRING" else {**made, "type": kind}
