"""Tags written as CSV in our own columns: what any reader here gives back, and no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Iterable

from app.edits.tags import TagDraft
from app.model.plant import Tag
from app.taglists.columns import OWN
from app.taglists.scales import measured
from app.taglists.spreadsheet import safe, written
from app.units import unit


def write(tags: Iterable[Tag | TagDraft]) -> bytes:
    """``name,address,type,order,gain,offset,unit,description,access``. Group, range, states and browse path have no column."""
    rows: list[tuple[str, ...]] = []
    for tag in tags:
        numbers = (_number_text(tag.gain), _number_text(tag.offset))
        rows.append(
            (safe(tag.name), safe(tag.address), tag.type, "", *numbers, safe(_unit_text(tag.unit)), safe(tag.description), tag.access)
        )
    return written([OWN, *rows])


def _number_text(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _unit_text(code: str) -> str:
    """What a person writes for the unit, if reading that gives the same one; a code may be the symbol of another unit ("VA")."""
    known = unit(code)
    texts = (known.symbol, known.name, code) if known else (code,)
    return next((text for text in texts if measured(text).unit == code), code)
