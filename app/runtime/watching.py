"""What is asked of one endpoint: wanted tags as watch items with handles, and the difference when either changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Set
from typing import NamedTuple

import msgspec

from app.drivers.base import EndpointConfig, UnitSettings, WatchItem
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.samples.handles import TagHandles

_DEFAULT_GROUP = Group(id="", name="")


class Plan(NamedTuple):
    """What to tell the connector."""

    add: list[WatchItem]
    remove: list[int]


class Watching:
    """Items of one endpoint by tag. Handles come from one counter and are used once, so a late sample cannot find another tag."""

    def __init__(self, handles: Iterator[int]) -> None:
        self._handles = handles
        self.items: dict[str, WatchItem] = {}
        self.tags: dict[int, str] = {}
        self._known: TagHandles | None = None

    @property
    def known(self) -> TagHandles:
        """``tags`` as it is now, for whole batches; it stays what it is when that changes."""
        if self._known is None:
            self._known = TagHandles(self.tags)
        return self._known

    def plan(self, project: Project, endpoint: str, wanted: Collection[str], changed: Iterable[str] | None = None) -> Plan:
        """Adopt ``wanted`` (ids; those that are not tags of this endpoint now are ignored).

        Args:
            changed: The only ones that may have come, gone, or changed; the work is of these alone. None is all.
        """
        plan = Plan([], [])
        asked = wanted if isinstance(wanted, Set) else dict.fromkeys(wanted)
        for tag_id in dict.fromkeys([*self.items, *wanted] if changed is None else changed):
            before = self.items.get(tag_id)
            item = self._item(project, endpoint, tag_id, before) if tag_id in asked else None
            if item is before:
                continue
            if before is not None:
                del self.items[tag_id], self.tags[before.handle]
                plan.remove.append(before.handle)
            if item is not None:
                self.items[tag_id] = item
                self.tags[item.handle] = tag_id
                plan.add.append(item)
        if plan.add or plan.remove:
            self._known = None
        return plan

    def _item(self, project: Project, endpoint: str, tag_id: str, before: WatchItem | None) -> WatchItem | None:
        """What is to be asked for: the same object where that is what is asked for already."""
        tag = project.get(Tag, tag_id)
        if tag is None or tag.endpoint != endpoint:
            return None
        item = watch_item(project, tag, before.handle if before else 0)
        return before if item == before else msgspec.structs.replace(item, handle=next(self._handles))


def watch_item(project: Project, tag: Tag, handle: int) -> WatchItem:
    group = project.get(Group, tag.group) or _DEFAULT_GROUP
    return WatchItem(
        handle=handle,
        address=tag.address,
        gain=tag.gain,
        offset=tag.offset,
        interval_ms=group.interval_ms,
        deadband=group.deadband,
        queue_size=group.queue_size,
        type=tag.type,
        path=tag.path,
    )


def endpoint_config(project: Project, endpoint: Endpoint, url: str, pki: str = "") -> EndpointConfig:
    """What a session has to know, as the project says it now; without the secret."""
    return EndpointConfig(
        name=endpoint.name,
        url=url,
        security=endpoint.security,
        settings=dict(endpoint.settings),
        pki=pki,
        identity=endpoint.identity,
        units=tuple(UnitSettings(number=unit.number, order=unit.order) for unit in project.units_of(endpoint.id)),
    )
