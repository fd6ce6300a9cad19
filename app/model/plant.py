"""The source side of a project: endpoints, units behind them, groups, tags, watch lists."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.model.element import Element, Extended, Natural


class Security(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How the connection is protected. Secrets are references (``secret://…``), never values."""

    policy: str = "None"
    mode: Literal["None", "Sign", "SignAndEncrypt"] = "None"
    user: Literal["anonymous", "password", "certificate"] = "anonymous"
    name: str = ""
    secret: str = ""


class Identity(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What tells this endpoint from another one at the same address; "" is "not known" and is not compared.

    Attributes:
        application_uri: OPC UA: the server's.
        thumbprint: SHA-1 of the server's certificate, 40 hex digits (OPC 10000-4 §7.2); "" where the connection is not secured.
        product: Maker, product and version: OPC UA BuildInfo; Modbus device identification (43/14).
        register: Modbus: address of a register that a person named because it holds a serial number or the like.
        value: Text of that register when the identity was confirmed.
    """

    application_uri: str = ""
    thumbprint: str = ""
    product: str = ""
    register: str = ""
    value: str = ""


class Endpoint(Extended, frozen=True, kw_only=True, tag="endpoint"):
    """One connection, to a server, a device, or a line with many unit ids behind it.

    Attributes:
        addresses: Name → URL. ``default`` is always there; others (``fat``, ``site``, ``vpn``, ``gateway``) say where the same
            endpoint is reached from elsewhere. Which one a laptop uses is workspace state, never project content.
        namespaces: Namespace URIs as last seen, in the server's order (OPC UA). Index-only gateways need the order.
        settings: The driver's own settings (its ``spec.py`` describes them); values are JSON scalars.
    """

    name: str
    addresses: dict[str, str]
    description: str = ""
    security: Security = Security()
    identity: Identity = Identity()
    namespaces: tuple[str, ...] = ()
    settings: dict[str, bool | int | float | str] = {}  # noqa: RUF012  msgspec copies empty defaults


class Unit(Extended, frozen=True, kw_only=True, tag="unit"):
    """A unit id behind a Modbus endpoint: its name, and the byte and word order its tags have unless they say otherwise."""

    endpoint: str
    number: Annotated[int, msgspec.Meta(ge=0, le=255)]
    name: str = ""
    order: Literal["ABCD", "CDAB", "BADC", "DCBA"] = "ABCD"
    description: str = ""


class Group(Extended, frozen=True, kw_only=True, tag="group"):
    """Rate and deadband of the tags in it.

    Attributes:
        interval_ms: Sampling interval asked for (OPC UA) or poll interval (Modbus).
        deadband: Absolute, in the unit of the tag; 0 reports every change.
        queue_size: Samples the server keeps between two publishes (OPC 10000-4 §5.13.1.5); not used by Modbus.
    """

    name: str
    interval_ms: Natural = 1000
    deadband: float = 0.0
    queue_size: Natural = 10
    description: str = ""


class Tag(Extended, frozen=True, kw_only=True, tag="tag"):
    """One source point at an endpoint.

    Attributes:
        address: Canonical text of the driver's grammar; opaque here. Same text in files, on the command line, in tables.
        type: Type the source had when the tag was made (a word of ``app.model.values``), part of its fingerprint.
        path: Browse path when the tag was made (OPC UA), part of its fingerprint.
        gain, offset: Scale of the source itself, as its register list states it: value = raw * gain + offset. ``unit``,
            ``low`` and ``high`` are those of the scaled value.
        unit: UNECE Rec 20 code, or a symbol that is in no table.
        low, high: Engineering range (EURange, or the register list's).
        enum: Number → name of a source enumeration (OPC UA EnumStrings / EnumValues, or a register list's).
    """

    endpoint: str
    address: str
    name: str
    group: str = ""
    type: str = ""
    path: str = ""
    gain: float = 1.0
    offset: float = 0.0
    unit: str = ""
    low: float | None = None
    high: float | None = None
    enum: dict[str, str] = {}  # noqa: RUF012  msgspec copies empty defaults
    access: Literal["r", "rw", "w"] = "r"
    description: str = ""


class WatchList(Element, frozen=True, kw_only=True, tag="watchlist"):
    """A named selection of tags, in the order a person gave it."""

    name: str
    tags: tuple[str, ...] = ()
