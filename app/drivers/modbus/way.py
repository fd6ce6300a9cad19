"""Where in the tree of units and tables a Modbus address stands. Pure: a device cannot be asked for it."""

from __future__ import annotations

from app.drivers.modbus.address import parse
from app.drivers.modbus.nodes import place_of
from app.drivers.modbus.url import ModbusUrl


def way_to(text: str, url: str) -> tuple[tuple[str, ...], int | None]:
    """Ids from the unit down, and the first register meant: ``3/holding:100:float32`` is ``("3/", "3/holding")`` and 100.

    Args:
        text: An address, or the id of a unit or of a table, which means no register.
        url: Of the endpoint; names the unit of an address that names none.

    Raises:
        UserError: Not a Modbus address, and what one looks like.
    """
    place = place_of(text.strip())
    if place is not None:
        unit = f"{place.unit}/"
        return ((unit, f"{unit}{place.table}") if place.table else (unit,)), None
    address = parse(text)
    unit = f"{ModbusUrl(url).unit if address.unit is None else address.unit}/"
    return (unit, f"{unit}{address.table}"), address.address
