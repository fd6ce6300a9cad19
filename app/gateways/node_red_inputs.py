"""The inputs of a Node-RED flow: subscriptions of contrib-opcua, polls of contrib-modbus, and what neither can do."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Final, cast

from app.drivers.modbus.address import BIT_TABLES
from app.drivers.modbus.url import ModbusUrl
from app.drivers.opcua.address import UA_NAMESPACE, NodeAddress
from app.gateways.base import Loss
from app.gateways.feeds import NOT_SENT, Connection, Feed, Feeds
from app.gateways.modbus_blocks import FUNCTION_CODES, PollBlock, blocks_of, int_setting, seconds_setting, stale_ms, undecoded
from app.gateways.modbus_transports import over_tls, transport_losses
from app.gateways.node_red_flows import FlowSheet, label
from app.gateways.program import as_json
from app.gateways.variables import variable
from app.model.plant import Endpoint
from app.model.project import Project

TEMPLATES: Final = files("resources") / "templates" / "gateways"
SHORTEST_MS: Final = 101
"""contrib-opcua ignores a ``msg.interval`` of 100 and less."""
SILENT_MS: Final = 10_000
"""Without a new server time for this long an OPC UA connection counts as lost. The server time is asked for every second."""
SERVER_TIME: Final = "ns=0;i=2258"  # Server_ServerStatus_CurrentTime, OPC 10000-5 §6.3.1

Plan = dict[str, object]


def refuse_unsupported(found: Feeds) -> None:
    """Take out what the nodes cannot read; say what they read differently."""
    kept: list[Feed] = []
    index_only = {feed.endpoint.id for feed in found.feeds if isinstance(feed.address, NodeAddress) and feed.address.uri != UA_NAMESPACE}
    secured = over_tls(found.connections)
    for connection in found.connections:
        found.losses += _connection_losses(connection, connection.endpoint.id in index_only)
    for feed in found.feeds:
        why = _refusal(feed) or ("Modbus over TLS, which contrib-modbus does not speak" if feed.endpoint.id in secured else "")
        if why:
            found.losses.append(Loss(feed.place, why, NOT_SENT, "error"))
            continue
        found.losses += _differences(feed)
        kept.append(feed)
    found.keep(kept)
    found.connections = [connection for connection in found.connections if connection.endpoint.id not in secured]


def _refusal(feed: Feed) -> str:
    base = feed.tag.type.removesuffix("[]")
    if base == "struct":
        return "a structure, which this flow does not decode"
    if not isinstance(feed.address, NodeAddress):
        return undecoded(feed.address, "this flow")
    if namespace_index(feed) is None:
        return f"the namespace {feed.address.uri} is not in the list last seen at {feed.endpoint.name}; contrib-opcua takes indexes only"
    if ";datatype=" in feed.address.identifier:
        return "its node id contains ;datatype=, which contrib-opcua cuts off"
    return ""


def _connection_losses(connection: Connection, index_only: bool) -> list[Loss]:
    place, security = connection.endpoint.name, connection.endpoint.security
    losses: list[Loss] = []
    if connection.protocol == "opcua":
        if index_only:
            uris = ", ".join(f"{index} = {uri}" for index, uri in enumerate(connection.endpoint.namespaces))
            losses.append(
                Loss(
                    place,
                    f"namespaces by index only ({uris})",
                    "after the server's namespace order changes, values stop or are those of other nodes",
                )
            )
        if security.mode != "None":
            losses.append(Loss(place, "trust in the server's certificate", "contrib-opcua accepts any certificate"))
        losses.append(Loss(place, "times to the nanosecond", "source and server times are cut to milliseconds", "info"))
        losses.append(Loss(place, "a server without source times", "the gateway's own time stands in for them", "info"))
    elif connection.protocol == "modbus":
        losses += _modbus_losses(connection)
    return losses


def _modbus_losses(connection: Connection) -> list[Loss]:
    place = connection.endpoint.name
    losses = transport_losses(connection, "contrib-modbus")
    if seconds_setting(connection.endpoint, "retries", 1) > 0:
        losses.append(
            Loss(place, "retries of a poll", "a failed poll counts as bad at once and is asked again at the next interval", "info")
        )
    if ModbusUrl(connection.url).transport == "rtu":
        consequence = "contrib-modbus opens it with the package serialport, which npm installs only where it can be built"
        losses.append(Loss(place, "the serial port", consequence))
    return losses


def _differences(feed: Feed) -> list[Loss]:
    losses: list[Loss] = []
    if isinstance(feed.address, NodeAddress):
        if feed.interval_ms < SHORTEST_MS:
            losses.append(Loss(feed.place, f"sampling every {feed.interval_ms} ms", f"it is sampled every {SHORTEST_MS} ms"))
        if feed.deadband > 0:
            losses.append(
                Loss(
                    feed.place,
                    f"deadband {feed.deadband:g} at the server",
                    "the server sends every change; the flow drops the small ones",
                    "info",
                )
            )
        if feed.tag.type.endswith("[]"):
            losses.append(Loss(feed.place, "arrays of more than one dimension", "they arrive as one flat list"))
        if not feed.tag.type:
            losses.append(Loss(feed.place, "the type of the source is not known", "whole numbers are taken as integers"))
    return losses


def namespace_index(feed: Feed) -> int | None:
    """The index of the node's namespace in the order last seen; None when it was not there."""
    address = cast("NodeAddress", feed.address)
    if address.uri == UA_NAMESPACE:
        return 0
    return feed.endpoint.namespaces.index(address.uri) if address.uri in feed.endpoint.namespaces else None


# --- OPC UA ----------------------------------------------------------------------------------------------------------------


def add_opcua(
    sheet: FlowSheet, plan: Plan, project: Project, connection: Connection, feeds: Sequence[Feed], deliver: str
) -> dict[str, str]:
    """One client for the endpoint, fed with a subscription for every node. Gives mapping id → source id."""
    del project
    endpoint, row = connection.endpoint, sheet.next_row()
    watches, known = cast("dict[str, int]", plan["watches"]), cast("dict[str, dict[str, str]]", plan["sources"])
    watches[endpoint.id] = SILENT_MS
    items: dict[str, dict[str, object]] = {}
    sources: dict[str, str] = {}
    for feed in feeds:
        node = _node_text(feed)
        source = f"{endpoint.id}|{node}"
        sources[feed.mapping.id] = source
        known[source] = {"watch": endpoint.id}
        interval_ms = max(feed.interval_ms, SHORTEST_MS)
        item = items.setdefault(
            node, {"topic": node, "interval": interval_ms, "queueSize": feed.queue_size, "source": source, "type": feed.tag.type}
        )
        item["interval"] = min(cast("int", item["interval"]), interval_ms)
        item["queueSize"] = max(cast("int", item["queueSize"]), feed.queue_size)
    # The first message sets the publishing interval, so the fastest goes first.
    ordered = sorted(items.values(), key=lambda item: (cast("int", item["interval"]), cast("str", item["topic"])))
    alive = {"topic": SERVER_TIME, "interval": 1000, "queueSize": 1, "watch": endpoint.id}
    _opcua_nodes(sheet, connection, [*ordered, alive], row, deliver)
    return sources


def _node_text(feed: Feed) -> str:
    address = cast("NodeAddress", feed.address)
    return f"ns={namespace_index(feed)};{address.kind}={address.identifier}"


def _opcua_nodes(sheet: FlowSheet, connection: Connection, items: Sequence[dict[str, object]], row: int, deliver: str) -> None:
    endpoint, security = connection.endpoint, connection.endpoint.security
    config = sheet.add_config(
        "OpcUa-Endpoint", endpoint.id, name=label("OPC UA", endpoint.name), endpoint=connection.url, secpol=security.policy,
        secmode=security.mode, none=security.mode == "None" and security.user == "anonymous", login=security.user == "password",
        usercert=security.user == "certificate",
        usercertificate=_from_environment(endpoint, "CERT") if security.user == "certificate" else "",
        userprivatekey=_from_environment(endpoint, "KEY") if security.user == "certificate" else "",
    )  # fmt: skip
    if security.user == "password":
        sheet.credentials[config] = {"user": _from_environment(endpoint, "USER"), "password": _from_environment(endpoint, "PASSWORD")}
    subscribe = sheet.add_function(
        f"subscribe {endpoint.id}", label("Subscribe", endpoint.name), column=0, row=row, outputs=1,
        initialize=_WATCH.replace("ITEMS", as_json(as_json(items))), func=_SUBSCRIBE,
    )  # fmt: skip
    client = sheet.add(
        "OpcUa-Client", endpoint.id, column=1, row=row, endpoint=config, action="subscribe", deadbandtype="a", deadbandvalue=0,
        time="1", timeUnit="s", certificate="n", localfile="", localkeyfile="", securitymode="None", securitypolicy="None",
        useTransport=False, maxChunkCount=1, maxMessageSize=8192, receiveBufferSize=8192, sendBufferSize=8192, setstatusandtime=False,
        keepsessionalive=True, name=label("OPC UA", endpoint.name), applicationName="", applicationUri="",
    )  # fmt: skip
    read = sheet.add_function(
        f"read {endpoint.id}", label("Samples of", endpoint.name), column=1, row=row + 1, outputs=1,
        func=(TEMPLATES / "node_red_opcua.js").read_text("utf-8"),
    )  # fmt: skip
    sheet.wire(subscribe, [client])
    # The second output reports the state: "session active" asks for the subscriptions, at the start and after every new session.
    sheet.wire(client, [read], [subscribe], [])
    sheet.wire(read, [deliver])


def _from_environment(endpoint: Endpoint, what: str) -> str:
    """Node-RED puts the variable's value in the place of such a text, when it is the whole text."""
    return f"${{{variable(endpoint.id, what)}}}"


_SUBSCRIBE: Final = """// Every new session is asked for all nodes; the client ignores those it has.
if (msg.status !== "session active") return null;
flow.set(context.get("watch"), Date.now());
return [context.get("items").map((item) => ({ ...item }))];
"""

_WATCH: Final = """// A client that has a session and yet hears nothing is told to begin anew, at most once a minute. Some servers, those of
// the Python library asyncua among them, answer a Republish of a lost subscription as if it were there, and the client repeats it for ever.
const items = JSON.parse(ITEMS);
const watch = "alive_" + items.find((item) => item.watch !== undefined).watch.replaceAll("-", "_");
context.set("items", items);
context.set("watch", watch);
let told = 0;
setInterval(() => {
    const heard = flow.get(watch);
    const now = Date.now();
    if (heard === undefined || now - heard < 20000 || now - told < 60000) return;
    told = now;
    node.warn("no sign of life for 20 s: reconnecting");
    node.send({ topic: "reconnect", action: "reconnect" });
}, 5000);
"""


# --- Modbus ----------------------------------------------------------------------------------------------------------------


def add_modbus(
    sheet: FlowSheet, plan: Plan, project: Project, connection: Connection, feeds: Sequence[Feed], deliver: str
) -> dict[str, str]:
    """One client for the endpoint, one request per planned block. Gives mapping id → source id."""
    endpoint, row = connection.endpoint, sheet.next_row()
    blocks, tags = blocks_of(project, endpoint, feeds, unit=ModbusUrl(connection.url).unit)
    watches, known = cast("dict[str, int]", plan["watches"]), cast("dict[str, dict[str, str]]", plan["sources"])
    timeout_s = seconds_setting(endpoint, "timeout_s", 1.0)
    for block in blocks:
        watches[block.id] = stale_ms(block, timeout_s, 0)
        for item in block.items:
            known[item.source] = {"watch": block.id}
    _modbus_nodes(sheet, connection, blocks, row, deliver)
    return tags


def _modbus_nodes(sheet: FlowSheet, connection: Connection, blocks: Sequence[PollBlock], row: int, deliver: str) -> None:
    endpoint, url = connection.endpoint, ModbusUrl(connection.url)
    config = sheet.add_config(
        "modbus-client", endpoint.id, name=label("Modbus", endpoint.name), bufferCommands=True, stateLogEnabled=False,
        queueLogEnabled=False, failureLogEnabled=True, **_place(url),
        serialType="RTU-BUFFERD", serialConnectionDelay="100", serialAsciiResponseStartDelimiter="0x3A", unit_id=str(url.unit),
        commandDelay=str(max(1, int_setting(endpoint, "pause_ms", 0))),
        clientTimeout=str(max(1, round(1000 * seconds_setting(endpoint, "timeout_s", 1.0)))), reconnectOnTimeout=True,
        reconnectTimeout="2000", parallelUnitIdsAllowed=False,
    )  # fmt: skip
    program = (TEMPLATES / "node_red_modbus.js").read_text("utf-8").replace("BLOCKS", as_json(as_json([_block(block) for block in blocks])))
    start, _, take = program.partition("// --- on message ---\n")
    polls = sheet.add_function(
        f"polls {endpoint.id}", label("Polls of", endpoint.name), column=0, row=row, outputs=2, initialize=start, func=take
    )
    getter = sheet.add(
        "modbus-flex-getter", endpoint.id, column=1, row=row, name=label("Modbus", endpoint.name), showStatusActivities=False,
        showErrors=False, showWarnings=True, logIOActivities=False, server=config, useIOFile=False, ioFile="", useIOForPayload=False,
        emptyMsgOnFail=True, keepMsgProperties=True, delayOnStart=False, startDelayTime="",
    )  # fmt: skip
    sheet.wire(polls, [getter], [deliver])
    sheet.wire(getter, [polls], [])


def _place(url: ModbusUrl) -> dict[str, str]:
    """Properties of the client node. Those of the other kind must be there as well, or the editor calls the node invalid."""
    serial = url.transport == "rtu"
    return {
        "clienttype": "simpleser" if serial else "tcp",
        "tcpHost": "127.0.0.1" if serial else url.host,
        "tcpPort": "502" if serial else str(url.port),
        "tcpType": "TCP-RTU-BUFFERED" if url.transport == "rtutcp" else "DEFAULT",
        "serialPort": url.device if serial else "/dev/ttyUSB",
        "serialBaudrate": str(url.baudrate if serial else 9600),
        "serialDatabits": "8",
        "serialStopbits": str(url.stopbits),
        "serialParity": {"N": "none", "E": "even", "O": "odd"}[url.parity] if serial else "none",
    }


def _block(block: PollBlock) -> dict[str, object]:
    extent = block.extent
    return {
        "id": block.id, "fc": FUNCTION_CODES[extent.table], "unitid": extent.unit, "address": extent.address, "quantity": extent.length,
        "bits": extent.table in BIT_TABLES, "interval_ms": block.interval_ms,
        "items": [
            {
                "source": item.source, "at": item.address.address - extent.address, "count": item.address.count, "bit": item.address.bit,
                "type": item.address.type, "length": item.address.length, "order": item.order,
            }
            for item in block.items
        ],
    }  # fmt: skip
