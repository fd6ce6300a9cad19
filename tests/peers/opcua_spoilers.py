"""Ways of an OPC UA server to fail a whole request because of one node in it, or of its size: hooks into asyncua's server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import asyncua.ua
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_from_binary, uatcp_to_binary

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need

_READ = ua.NodeId(ua.ObjectIds.ReadRequest_Encoding_DefaultBinary)
_BROWSE = ua.NodeId(ua.ObjectIds.BrowseRequest_Encoding_DefaultBinary)
_TOO_LARGE = 0x80800000

Judge = Callable[[Any, Any], Any]
"""Of a processor and the operations of a request: None to go on, True for silence, False to hang up."""


def hang_reads(names: list[str]) -> None:
    """No Read that asks for the value of a node with one of these identifiers is ever answered."""

    def judge(_: Any, items: Any) -> Any:
        return True if any(item.NodeId.Identifier in names and item.AttributeId == ua.AttributeIds.Value for item in items) else None

    _hook(_READ, ua.ReadParameters, "NodesToRead", judge)


def hang_browses(names: list[str]) -> None:
    def judge(_: Any, items: Any) -> Any:
        return True if any(item.NodeId.Identifier in names for item in items) else None

    _hook(_BROWSE, ua.BrowseParameters, "NodesToBrowse", judge)


def spoil_reads(names: list[str]) -> None:
    """A Read that asks for the value of a node with one of these identifiers fails as a whole."""

    def judge(_: Any, items: Any) -> Any:
        if any(item.NodeId.Identifier in names and item.AttributeId == ua.AttributeIds.Value for item in items):
            raise ua.uaerrors.BadInternalError
        return None

    _hook(_READ, ua.ReadParameters, "NodesToRead", judge)


def hang_up_on_large(most: int) -> None:
    """More operations than that, and the connection is ended with an error message (OPC 10000-6 §7.1.2.5), as for too large a message."""

    def judge(processor: Any, items: Any) -> Any:
        if len(items) <= most:
            return None
        processor._transport.write(uatcp_to_binary(ua.MessageType.Error, ua.ErrorMessage(ua.StatusCode(_TOO_LARGE), "too large")))
        return False

    _hook(_READ, ua.ReadParameters, "NodesToRead", judge)
    _hook(_BROWSE, ua.BrowseParameters, "NodesToBrowse", judge)


def _hook(service: Any, parameters: Any, field: str, judge: Judge) -> None:
    processor: Any = UaProcessor
    process = processor._process_message

    async def judged(self: Any, typeid: Any, header: Any, sequence: Any, body: Any) -> Any:
        if typeid == service:
            verdict = judge(self, getattr(struct_from_binary(parameters, body.copy()), field))
            if verdict is not None:
                return verdict
        return await process(self, typeid, header, sequence, body)

    processor._process_message = judged
