"""What a gateway has to deliver, and from where: every mapping that can work, and an error loss for every one that cannot.

All targets begin here, so that they leave out the same things for the same reasons.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import structs

from app.drivers import spec_for
from app.drivers.modbus import address as modbus
from app.drivers.modbus.plan import Extent, Forbidden
from app.drivers.modbus.ranges import parse_ranges
from app.drivers.modbus.url import ModbusUrl
from app.drivers.opcua import address as opcua
from app.errors import UserError
from app.gateways.base import Loss, Options
from app.mapping.fit import misfits
from app.mapping.message import topic_of
from app.mapping.transform import compile_transform
from app.model.itmodel import Asset
from app.model.mapping import Delivery, Mapping
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.model.resolve import ResolvedAttribute, attributes, path_of

NOT_SENT: Final = "the attribute is not in the messages"
_ILLEGAL_TOPIC: Final = re.compile(r"[+#\x00-\x1f\x7f]")  # MQTT 5.0 §4.7.1, as in the rule UNS-001
_DEFAULT_GROUP: Final = Group(id="", name="")


@dataclass(frozen=True, slots=True)
class Feed:
    """One attribute of one asset with the tag that feeds it.

    Attributes:
        place: ``Plant 1/Packaging/Line 4/Filler 1/fillFlow``.
        interval_ms: The mapping's own, else that of the tag's group.
        deadband: In the unit of the tag, after its gain and offset.
    """

    place: str
    asset: Asset
    row: ResolvedAttribute
    mapping: Mapping
    tag: Tag
    endpoint: Endpoint
    address: opcua.NodeAddress | modbus.Address
    interval_ms: int
    deadband: float
    queue_size: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One endpoint as the gateway reaches it."""

    endpoint: Endpoint
    url: str
    protocol: str  # key of the driver: "opcua" or "modbus"


@dataclass(slots=True)
class Feeds:
    """Connections by id; feeds by the path of their asset, with attributes in the order of the type."""

    connections: list[Connection] = field(default_factory=list)
    feeds: list[Feed] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    def of(self, endpoint_id: str) -> list[Feed]:
        return [feed for feed in self.feeds if feed.endpoint.id == endpoint_id]

    def keep(self, feeds: list[Feed]) -> None:
        """Only these go on; a target calls it after it has refused others with losses."""
        self.feeds = feeds


def url_for(endpoint: Endpoint, options: Options) -> str:
    """Where the gateway reaches the endpoint: as the options say, else its address ``gateway``, else ``default``."""
    return options.reach.get(endpoint.id) or endpoint.addresses.get("gateway") or endpoint.addresses["default"]


def feeds_of(project: Project, options: Options) -> Feeds:
    found = Feeds()
    refused: dict[str, str] = {}
    for endpoint in project.all(Endpoint).values():  # by id: a new name changes no file
        url = url_for(endpoint, options)
        try:
            spec = spec_for(url)
            found.connections.append(Connection(endpoint, spec.parse_url(url), spec.key))
        except UserError as error:
            refused[endpoint.id] = f"{error.what}: {error.why}"
            found.losses.append(
                Loss(endpoint.name, f"the address {url}: {refused[endpoint.id]}", "nothing of this endpoint is sent", "error")
            )
    reachable = {connection.endpoint.id: connection for connection in found.connections}
    seen: set[str] = set()
    for asset in sorted(project.all(Asset).values(), key=lambda one: (path_of(project, one), one.id)):
        for feed in _feeds_of_asset(project, asset, reachable, found.losses, seen):
            found.feeds.append(feed)
    _orphans(project, seen, found.losses)
    used = {feed.endpoint.id for feed in found.feeds}
    found.connections = [connection for connection in found.connections if connection.endpoint.id in used]
    return found


def _feeds_of_asset(project: Project, asset: Asset, reachable: dict[str, Connection], losses: list[Loss], seen: set[str]) -> Iterator[Feed]:
    path = path_of(project, asset)
    delivery = project.delivery_for(asset.asset_type)
    for row in attributes(project, asset.asset_type):
        mappings = project.mappings_for(asset.id, row.attribute.id, row.within)
        seen.update(mapping.id for mapping in mappings)
        place = f"{path}/{row.path}"
        if not mappings:
            if row.attribute.required:
                losses.append(Loss(place, "required, and nothing is mapped to it", NOT_SENT, "error"))
            continue
        if len(mappings) > 1:
            losses.append(Loss(place, f"{len(mappings)} mappings for one attribute", NOT_SENT, "error"))
            continue
        feed = _feed(project, asset, row, mappings[0], place, reachable)
        if (
            why := feed
            if isinstance(feed, str)
            else _bad_topic(topic_of(project, asset, row.path if delivery.message == "attribute" else ""))
        ):
            losses.append(Loss(place, why, NOT_SENT, "error"))
            continue
        assert isinstance(feed, Feed)
        if len(mappings[0].sources) > 1:
            losses.append(Loss(place, f"{len(mappings[0].sources)} source tags", "only the first is used"))
        yield feed


def _feed(
    project: Project, asset: Asset, row: ResolvedAttribute, mapping: Mapping, place: str, reachable: dict[str, Connection]
) -> Feed | str:
    """The feed, or why there can be none."""
    tag = project.get(Tag, mapping.sources[0]) if mapping.sources else None
    if tag is None:
        return "the mapping has no source tag"
    connection = reachable.get(tag.endpoint)
    if connection is None:
        return "its endpoint cannot be reached"
    if tag.access == "w":
        return f"the tag {tag.name} can only be written"
    try:
        compile_transform(mapping.transform)
    except UserError as error:
        return f"the transform can never work: {error.why}"
    for misfit in misfits(tag, row.attribute, mapping.transform):
        if misfit.severity == "error":
            return misfit.message
    try:
        address = opcua.parse(tag.address) if connection.protocol == "opcua" else _modbus_address(tag, connection)
    except UserError as error:
        return f"the address {tag.address}: {error.why}"
    if isinstance(address, opcua.PathAddress):
        return f"the browse path {tag.address} (only a connected server knows its node)"
    group = project.get(Group, tag.group) or _DEFAULT_GROUP
    interval_ms = max(mapping.interval_ms or group.interval_ms, 1)
    return Feed(
        place, asset, row, mapping, tag, connection.endpoint, address, interval_ms, max(group.deadband, 0.0), max(group.queue_size, 1)
    )


def _modbus_address(tag: Tag, connection: Connection) -> modbus.Address:
    """With the unit id settled.

    Raises:
        UserError: It is none, or touches registers that the endpoint forbids.
    """
    found = modbus.parse(tag.address)
    url_unit = ModbusUrl(connection.url).unit
    unit = url_unit if found.unit is None else found.unit
    if excluded(connection.endpoint, url_unit).excludes(Extent(unit, found.table, found.address, found.count)):
        raise UserError("Forbidden", where=tag.address, why="the endpoint's setting forbids to read these registers")
    return structs.replace(found, unit=unit)


def excluded(endpoint: Endpoint, unit: int) -> Forbidden:
    """The registers that are never read, not even in passing; ``unit`` is meant where the setting names none.

    Raises:
        UserError: The setting is no list of ranges.
    """
    return Forbidden(excluded=tuple(parse_ranges(str(endpoint.settings.get("forbidden", "")), unit)))


def _bad_topic(topic: str) -> str:
    if not topic:
        return "its topic is empty"
    if topic.startswith("$") or _ILLEGAL_TOPIC.search(topic) or len(topic.encode("utf-8", "surrogatepass")) > 65535:
        return f"its topic {topic!r} cannot be published to"
    return ""


def _orphans(project: Project, seen: set[str], losses: list[Loss]) -> None:
    for mapping in project.all(Mapping).values():
        if mapping.id not in seen:
            asset = project.get(Asset, mapping.asset)
            where = path_of(project, asset) if asset else mapping.asset
            losses.append(Loss(where, f"the mapping {mapping.id} of an attribute that the asset does not have", NOT_SENT, "error"))


def order_of(project: Project, feed: Feed) -> str:
    """Byte and word order of a Modbus item: its own, else that of its unit, else ABCD."""
    assert isinstance(feed.address, modbus.Address)
    if feed.address.order:
        return feed.address.order
    units = [unit for unit in project.units_of(feed.endpoint.id) if unit.number == feed.address.unit]
    return units[0].order if units else "ABCD"


def delivered(project: Project, feeds: list[Feed]) -> list[tuple[Asset, Delivery, list[Feed]]]:
    """Feeds by asset, in their order."""
    by_asset: dict[str, list[Feed]] = {}
    for feed in feeds:
        by_asset.setdefault(feed.asset.id, []).append(feed)
    return [(rows[0].asset, project.delivery_for(rows[0].asset.asset_type), rows) for rows in by_asset.values()]


def in_tree_order(project: Project, losses: Sequence[Loss]) -> list[Loss]:
    """As a person finds them in the project tree: endpoints, the delivery, then assets by path with their attributes."""
    places = [endpoint.name for endpoint in sorted(project.all(Endpoint).values(), key=lambda one: (one.name, one.id))]
    places.append("Delivery")
    for asset in sorted(project.all(Asset).values(), key=lambda one: (path_of(project, one), one.id)):
        path = path_of(project, asset)
        places += [path, *(f"{path}/{row.path}" for row in attributes(project, asset.asset_type))]
    rank: dict[str, int] = {}
    for index, place in enumerate(places):
        rank.setdefault(place, index)
    return sorted(losses, key=lambda loss: rank.get(loss.place, len(places)))
