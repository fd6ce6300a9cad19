"""How Modbus addresses are written: one choice for the whole window, of the person and not of the project."""

from __future__ import annotations

from app.drivers import spec_for
from app.drivers.base import Notations
from app.drivers.modbus.address import parse
from app.drivers.modbus.url import ModbusUrl
from app.errors import UserError
from app.model.plant import Endpoint, Tag
from widgets.workbench import Workbench

SETTING = "notation"
REGISTER_TABLES = {"holding": "holding registers", "input": "input registers", "coil": "coils", "discrete": "discrete inputs"}
"""For a choice among them, what is asked for most first."""


def notation(workbench: Workbench) -> str:
    return str(workbench.workspace.setting(SETTING))


def address_text(workbench: Workbench, endpoint: Endpoint | None, address: str) -> str:
    """An address for a narrow column, in the notation that was chosen; as it stands where no driver knows it."""
    if endpoint is None:
        return address
    try:
        spec = spec_for(endpoint.addresses["default"])
        chosen = notation(workbench)
        return spec.in_notation(address, chosen) if chosen and isinstance(spec, Notations) else spec.short_address(address)
    except UserError:
        return address


def url_unit(workbench: Workbench, endpoint: str) -> int | None:
    """The unit id that addresses without one mean; None where the endpoint is no Modbus one."""
    try:
        return ModbusUrl(workbench.live.spoken_url(endpoint)).unit
    except UserError:
        return None


def register_place(workbench: Workbench, tag: Tag) -> str | None:
    """Where the register grid shows a tag: ``3/holding:98`` for register 100; None for what is no Modbus tag."""
    unit = url_unit(workbench, tag.endpoint)
    if unit is None:
        return None
    try:
        address = parse(tag.address)
    except UserError:
        return None
    from app.drivers.modbus.plausibility import BEFORE

    return f"{unit if address.unit is None else address.unit}/{address.table}:{max(0, address.address - BEFORE)}"
