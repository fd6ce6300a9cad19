"""What goes over the wire, told as ``Traffic``: service names, sizes, round trips. No contents: they hold passwords and tokens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from time import monotonic, time_ns
from typing import Any, Final

from asyncua.client.ua_client import UASocketProtocol

from app.drivers.base import Exchange, Traffic
from app.drivers.opcua.address import UA_NAMESPACE
from app.drivers.opcua.binary import DecodingError, Reader, decoded, read_response_header
from app.drivers.opcua.status import status_text

TELL_EVERY_S: Final = 0.1
MOST_PER_TELLING: Final = 500
"""More than so many within ``TELL_EVERY_S`` are counted, not told."""

_COUNTED: Final = {
    "NodesToRead": "nodes", "NodesToBrowse": "nodes", "ContinuationPoints": "continuation points", "BrowsePaths": "paths",
    "ItemsToCreate": "items", "ItemsToModify": "items", "MonitoredItemIds": "items", "SubscriptionIds": "subscriptions",
    "MethodsToCall": "methods", "SubscriptionAcknowledgements": "acknowledgements",
}  # fmt: skip
"""Field of a request → what it holds many of."""

_COUNTED_IN: Final = {
    "Read": "nodes", "Browse": "nodes", "BrowseNext": "continuation points", "Publish": "acknowledgements",
    "CreateMonitoredItems": "items", "DeleteMonitoredItems": "items",
}  # fmt: skip
_DATA_CHANGE: Final = f"nsu={UA_NAMESPACE};i=811"
_NAMES: Final = (UA_NAMESPACE,)


class Trace:
    """Hooks into asyncua's protocol object while it is on, and takes them out again: off, nothing of this runs."""

    def __init__(self, tell: Callable[[Traffic], None]) -> None:
        self._tell = tell
        self._on = False
        self._protocol: UASocketProtocol | None = None
        self._asked: dict[int, tuple[str, float]] = {}  # request id → request, when
        self._told: list[Exchange] = []
        self._dropped = 0
        self._size = 0  # of the message encoded last
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, protocol: UASocketProtocol) -> None:
        """A connection began; the one before is of no interest any more."""
        self._unhook()
        self._protocol = protocol
        if self._on:
            self._hook(protocol)

    def switch(self, on: bool) -> None:
        if on == self._on:
            return
        self._on = on
        if on and self._protocol is not None:
            self._hook(self._protocol)
        elif not on:
            self._unhook()
            self.flush()

    def flush(self) -> None:
        """Tell what has gathered."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._told or self._dropped:
            self._tell(Traffic(exchanges=tuple(self._told), dropped=self._dropped))
        self._told, self._dropped = [], 0

    def _hook(self, protocol: UASocketProtocol) -> None:
        """Instance attributes over the class's methods, so that taking them out is deleting them."""
        send, connection = protocol._send_request, protocol._connection
        to_bytes, from_bytes = connection.message_to_binary, connection.receive_from_header_and_body

        def message_to_binary(*args: Any, **named: Any) -> bytes:  # asyncua's own parameters, handed on
            message = to_bytes(*args, **named)
            self._size = len(message)
            return message

        def send_request(request: Any, *args: Any, **named: Any) -> asyncio.Future[Any]:
            future = send(request, *args, **named)
            self._sent(protocol._request_id, type(request).__name__.removesuffix("Request"), _held(request))
            return future

        gathered = 0

        def receive(header: Any, body: Any) -> Any:
            nonlocal gathered
            message = from_bytes(header, body)
            gathered += header.packet_size
            if message is not None:  # None is a chunk that is not the last
                self._received(message, gathered)
                gathered = 0
            return message

        protocol._send_request = send_request  # type: ignore[method-assign]  # see above
        connection.message_to_binary = message_to_binary  # type: ignore[method-assign]
        connection.receive_from_header_and_body = receive  # type: ignore[method-assign]

    def _unhook(self) -> None:
        protocol = self._protocol
        if protocol is not None:
            for owner, name in (
                (protocol, "_send_request"),
                (protocol._connection, "message_to_binary"),
                (protocol._connection, "receive_from_header_and_body"),
            ):
                vars(owner).pop(name, None)
        self._asked.clear()

    def body_sent(self, number: int, name: str, count: int) -> None:
        """A request went out that no structure of asyncua was made for."""
        if self._on:
            self._sent(number, name, f", {count} {_COUNTED_IN[name]}" if count and name in _COUNTED_IN else "")

    def _sent(self, number: int, name: str, held: str) -> None:
        self._asked[number] = (name, monotonic())
        self._add(Exchange(at_ns=time_ns(), sent=True, size=self._size, text=f"{name}Request{held}"))

    def _received(self, message: Any, size: int) -> None:
        """``message`` is asyncua's Message, Acknowledge or ErrorMessage."""
        if not hasattr(message, "request_id"):
            error = getattr(message, "Error", None)
            trouble = status_text(error.value) if error is not None else ""
            text = "Error" if error is not None else "Acknowledge"
            self._add(Exchange(at_ns=time_ns(), sent=False, size=size, text=text, trouble=trouble))
            return
        asked, sent_s = self._asked.pop(message.request_id(), ("", 0.0))
        text, trouble = _answer(asked, bytes(message.body()))
        round_trip_s = monotonic() - sent_s if asked else 0.0
        self._add(Exchange(at_ns=time_ns(), sent=False, size=size, text=text, round_trip_s=round_trip_s, trouble=trouble))

    def _add(self, exchange: Exchange) -> None:
        if len(self._told) < MOST_PER_TELLING:
            self._told.append(exchange)
        else:
            self._dropped += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(TELL_EVERY_S, self.flush)


def _held(request: Any) -> str:
    """``, 120 nodes``."""
    for part in (request, getattr(request, "Parameters", None)):
        for field, what in _COUNTED.items():
            many = getattr(part, field, None)
            if many:
                return f", {len(many)} {what}"
    return ""


def _answer(asked: str, body: bytes) -> tuple[str, str]:
    """Text and trouble of an answer."""
    try:
        status = decoded(read_response_header, body, _NAMES)
    except DecodingError as error:
        return f"{asked}Response", f"cannot be decoded: {error}"
    trouble = status_text(status) if status >> 30 else ""
    values = ""
    if asked == "Publish" and not trouble:
        with suppress(DecodingError):  # the session tells of it when it takes the notification
            values = decoded(_published, body, _NAMES)
    return f"{asked}Response{values}", trouble  # without a name: asked for before the trace was on


def _published(reader: Reader) -> str:
    """How many values a PublishResponse brings (OPC 10000-4 §5.14.5), without decoding them."""
    read_response_header(reader)
    reader.at += 4  # subscription
    reader.array(7)
    reader.at += 13  # more notifications, sequence number, publish time
    values = 0
    count = reader.count()
    for _ in range(count):
        extension = reader.extension()
        if extension.encoding == _DATA_CHANGE and extension.body:
            values += Reader(extension.body, ()).int32()
    return f", {values} values" if count else ", keep-alive"
