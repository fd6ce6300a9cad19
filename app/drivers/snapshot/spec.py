"""What is known of snapshots without a file: the URL. Addresses are those of the protocol that the snapshot was taken with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from app import drivers
from app.drivers.base import EndpointConfig, EndpointReport, Load, SettingField, Spec, WatchItem
from app.errors import UserError

SCHEME: Final = "snapshot"
EXAMPLE: Final = "For example snapshot:/home/me/line4.tagloom-snapshot"
T = TypeVar("T")


class SnapshotSpec:
    """``snapshot:PATH``, where an endpoint is reached on this computer; never one of its addresses in a project.

    An endpoint keeps the spec of its own address for its texts; what is here for addresses is for who has nothing but the URL.
    """

    key = "snapshot"
    title = "Snapshot"
    schemes: tuple[str, ...] = (SCHEME,)
    default_port = 0
    settings: tuple[SettingField, ...] = ()
    source_times = True
    offline = True

    def parse_url(self, text: str) -> str:
        """With the whole path, so that it means the same in another folder."""
        scheme, colon, path = text.strip().partition(":")
        if scheme.lower() != SCHEME or not colon or not path.strip():
            why = 'the URL of a snapshot is "snapshot:" and the path of its file'
            raise UserError("Not a snapshot", where=text, why=why, fix=EXAMPLE)
        if any(ord(letter) < 32 for letter in path):
            raise UserError("Not a snapshot", where=ascii(text), why="the path has a control character", fix=EXAMPLE)
        return f"{SCHEME}:{Path(path.strip()).absolute()}"

    def parse_address(self, text: str, *, namespaces: Sequence[str] = (), notation: str = "") -> str:
        return _first(text, lambda spec: spec.parse_address(text, namespaces=namespaces, notation=notation))

    def type_of(self, address: str) -> str:
        return _first(address, lambda spec: spec.type_of(spec.parse_address(address)))

    def status_text(self, status: int) -> str:
        """OPC UA's codes have their severity in the upper half (OPC 10000-4 §7.39); those of Modbus are small numbers."""
        return drivers.specs()["opcua" if status >> 16 else "modbus"].status_text(status)

    def short_address(self, address: str) -> str:
        return _first(address, lambda spec: spec.short_address(spec.parse_address(address)))

    def describe(self, address: str) -> Mapping[str, str]:
        return _first(address, lambda spec: spec.describe(spec.parse_address(address)))

    def load_of(self, config: EndpointConfig, items: Sequence[WatchItem], report: EndpointReport | None) -> Load:
        """Nothing: no device is asked."""
        del config, items, report
        return Load(requests_per_s=0.0, values_per_s=0.0, bytes_per_s=0.0)


def path_of(url: str) -> Path:
    """The file of a snapshot's URL. Raises ``UserError``."""
    return Path(SPEC.parse_url(url).partition(":")[2])


def url_of(path: Path) -> str:
    """The URL of a snapshot's file."""
    return SPEC.parse_url(f"{SCHEME}:{path}")


def _first(text: str, ask: Callable[[Spec], T]) -> T:
    """The answer of the first protocol whose address it is."""
    refusals: list[UserError] = []
    for key in sorted(drivers.specs(), reverse=True):
        if key != SnapshotSpec.key:
            try:
                return ask(drivers.specs()[key])
            except UserError as error:
                refusals.append(error)
    raise refusals[0] if refusals else UserError("Not an address", where=text, why="no driver knows it", fix=EXAMPLE)


SPEC = SnapshotSpec()
