"""Edits of tags that say how their registers are read. The order of a unit is set once; a tag states one only where it differs."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace as replaced

from app.drivers.modbus.address import Address, parse
from app.drivers.modbus.registers import BYTES_SWAPPED
from app.drivers.modbus.types import FIELD_CLOCKS
from app.edits.edit import Edit, replace, with_fields
from app.edits.endpoints import set_unit
from app.errors import UserError
from app.model.plant import Endpoint, Tag, Unit
from app.model.project import Project


def unit_of(project: Project, endpoint: str, number: int) -> Unit | None:
    return next((unit for unit in project.units_of(endpoint) if unit.number == number), None)


def order_of_unit(project: Project, endpoint: str, number: int) -> str:
    """ABCD where the project says nothing of the unit."""
    unit = unit_of(project, endpoint, number)
    return unit.order if unit else "ABCD"


def with_order(address: Address, order: str, default: str) -> Address:
    """The address read in this order; it states the order only where the unit's default reads it otherwise."""
    return replaced(address, order="" if _same(address, order, default) else order)


def _same(address: Address, one: str, other: str) -> bool:
    """Whether two orders give the same value: bytes alone count where there is one word, or where words have no order."""
    if address.count == 1 or address.type == "string" or address.type in FIELD_CLOCKS:
        return (one in BYTES_SWAPPED) == (other in BYTES_SWAPPED)
    return one == other


def read_as(project: Project, tag_id: str, number: int, *, offset: int, type_: str, order: str, gain: float) -> Edit:
    """A tag's registers in another reading.

    Args:
        project: Holds the tag.
        tag_id: Of a tag with a Modbus address.
        number: Its unit id.
        offset: Registers from where the tag reads now.
        type_: Type word of an address.
        order: As it is to be read; stored only where the unit's default differs.
        gain: Of the tag.

    Raises:
        UserError: The tag is gone, its address is none, or its registers would lie outside 0…65535.
    """
    tag = project.get(Tag, tag_id)
    if tag is None:
        raise UserError("Cannot change the tag", where=tag_id, why="the project has no such tag")
    address = parse(tag.address)
    wanted = replaced(address, address=address.address + offset, bit=None, last_bit=None, type=type_, length=0, padding="", order="")
    checked = parse(str(with_order(wanted, order, order_of_unit(project, tag.endpoint, number))))
    name = f"Read {tag.name} as {type_} {order}" + (f" at {checked.address}" if offset else "")
    return replace(name, project, [with_fields(tag, address=str(checked), type=checked.value_type, gain=gain)])


def use_order(project: Project, endpoint: str, number: int, order: str, tags: Sequence[str]) -> Edit:
    """An order for the whole unit, as one edit. ``tags`` lose the order that they state themselves, so that the unit's holds for them too.

    What other tags of the unit state themselves stays: somebody wrote it down.
    """
    unit = unit_of(project, endpoint, number)
    edit = set_unit(project, endpoint, number, name=unit.name if unit else "", order=order)
    held = [tag for id_ in tags if (tag := project.get(Tag, id_)) is not None]
    plain = [with_fields(tag, address=str(replaced(parse(tag.address), order=""))) for tag in held if parse(tag.address).order]
    what = f"Use {order} for unit {number} of {project.all(Endpoint)[endpoint].name}"
    return edit.then(replace("", project, plain), what)
