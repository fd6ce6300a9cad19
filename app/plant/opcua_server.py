"""The plant's OPC UA server as a process of its own: `python -m app.plant.opcua_server --port 0`."""

import asyncio
import gc
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, cast

from asyncua import ua
from asyncua.server.server import Server
from asyncua.ua.status_codes import StatusCodes

from app.plant import serving
from app.plant.address_space import AddressSpace, build
from app.plant.catalog import POINTS
from app.plant.physics import STEP_S, Line
from app.plant.points import Point
from app.plant.signals import Signal, bind, clamp, fit

APPLICATION_URI = "urn:tagloom:plant:server"
PATH = "/tagloom/plant"


class LivePoint:
    """One variable while the server runs: what it shows, and what was shown last."""

    def __init__(self, point: Point, line: Line) -> None:
        self.point = point
        self._every_steps = max(1, round(point.update_ms / 1000.0 / STEP_S))
        self._period = -1
        self.node = ua.NodeId()
        self.shown: ua.DataValue | None = None
        self._signal: Signal | None = bind(line, point.source) if point.source else None
        self._status: Signal | None = bind(line, point.status_source) if point.status_source else None
        self._fit = fit(point)
        self._last: tuple[Any, str] | None = None

    def due(self, steps: int) -> bool:
        """Whether its update interval has passed since the last call that said so; no step need be seen."""
        period = steps // self._every_steps
        due, self._period = period != self._period, period
        return due

    def value(self) -> Any:  # Any: a fitted value of the point's type
        """The fitted value now; None where the point has none."""
        if self._signal is None:
            return self.point.constant
        return self._fit(self._signal.get())

    def change(self) -> tuple[Any, str] | None:  # Any: as `value`
        """Value and status if one of them is not what was shown last."""
        status = self.point.status if self._status is None else self._status.get()
        now = (self.value(), status)
        if now == self._last:
            return None
        self._last = now
        return now

    def take_write(self, current: ua.DataValue) -> None:
        """Carries what a client wrote into the line; the plant's answer is shown with the next change."""
        if current is self.shown or self._signal is None:
            return
        written = current.Value.Value if current.Value is not None else None
        wanted = clamp(written, self.point)
        if wanted is not None:
            self._signal.set(wanted)
        self._last = None


class Publisher:
    """Writes what changed into the address space. Lives on the server's event loop."""

    def __init__(self, server: Server, line: Line) -> None:
        self._server = server
        self._line = line
        self._points = [LivePoint(point, line) for point in POINTS]
        self._writable = [live for live in self._points if live.point.writable]
        self._space: AddressSpace | None = None

    async def build(self) -> None:
        """Adds the nodes and gives each its first value and quality."""
        values = {live.point.address: live.value() for live in self._points}
        self._space = await build(self._server, POINTS, values)
        for live in self._points:
            live.node = self._space.nodes[live.point.address]
            await self._show(live)

    async def publish(self) -> None:
        """Takes clients' writes and shows what is due at this step."""
        for live in self._writable:
            live.take_write(self._server.iserver.read_attribute_value(live.node))
        steps = self._line.steps
        for live in self._points:
            if live.due(steps):
                await self._show(live)

    async def _show(self, live: LivePoint) -> None:
        change = live.change()
        if change is None or self._space is None:
            return
        value, status = change
        code = getattr(StatusCodes, status)
        variant = ua.Variant(None, ua.VariantType.Null) if value is None else self._space.variant(live.point, value)
        shown = ua.DataValue(
            variant, ua.StatusCode(code), SourceTimestamp=_wire_time(self._line.now), ServerTimestamp=_wire_time(datetime.now(UTC))
        )
        await self._server.iserver.write_attribute_value(live.node, shown)
        live.shown = self._server.iserver.read_attribute_value(live.node)


def _wire_time(time: datetime) -> ua.DateTime:
    return cast(ua.DateTime, time)  # asyncua annotates its wire type but takes and gives plain datetimes


async def make_server(port: int) -> Server:
    """A server on 127.0.0.1 with security None and anonymous users, without nodes of our own yet."""
    server = Server()
    server.name = "Tagloom demo plant"
    server.product_uri = "urn:tagloom:plant"
    server.manufacturer_name = "Tagloom"
    server.application_type = ua.ApplicationType.Server
    await server.init()
    await server.set_application_uri(APPLICATION_URI)
    server.set_endpoint(f"opc.tcp://{serving.HOST}:{port}{PATH}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    server.allow_remote_admin(False)
    return server


async def serve(options: serving.Options) -> None:
    """Serves until the process is told to stop."""
    stop = serving.stop_event(with_parent=options.with_parent)
    server = await make_server(options.port)
    pace = serving.Pace(options.seed, options.epoch, datetime.now(UTC))
    publisher = Publisher(server, pace.line)
    await publisher.build()
    gc.freeze()  # half a million standing objects: collecting them again and again would pause the plant
    async with server:
        assert server.bserver is not None
        port = server.bserver.port
        serving.announce(url=f"opc.tcp://{serving.HOST}:{port}{PATH}", port=port, variables=len(POINTS))
        while not stop.is_set():
            if pace.advance(datetime.now(UTC)):
                await publisher.publish()
            try:
                async with asyncio.timeout(pace.wait_s(datetime.now(UTC))):
                    await stop.wait()
            except TimeoutError:
                continue


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the server; exit code 2 when the port is taken."""
    options = serving.parse_options("Tagloom demo plant: OPC UA server", arguments)
    serving.log_warnings()
    try:
        asyncio.run(serve(options))
    except OSError as error:
        sys.stderr.write(f"Cannot listen on {serving.HOST}:{options.port}: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
