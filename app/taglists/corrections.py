"""What a person said of the columns of a list, and what is remembered of it for the next list with the same headings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final, Protocol

from app.errors import UserError
from app.taglists.columns import Layout
from app.taglists.datatypes import folded
from app.taglists.words import MEANINGS

_STATE: Final = "tags.columns."


def named(layout: Layout, corrections: Mapping[str, str]) -> Layout:
    """Corrections as a person writes them: meaning → heading, or number or letter of a column; an empty one takes the meaning away.

    Raises:
        UserError: There is no such meaning, or no such column; both lists are in the message.
    """
    for meaning, column in corrections.items():
        if meaning not in MEANINGS or not meaning:
            why = f"{meaning!r} is none of {', '.join(filter(None, MEANINGS))}"
            raise UserError("Unknown meaning of a column", where=f"{meaning}={column}", why=why, fix="Use one of these")
        if not column:
            at = layout.column(meaning)
            layout = layout.with_meaning(at, "") if at >= 0 else layout
            continue
        layout = layout.with_meaning(_column_named(layout, column), meaning)
    return layout


def _column_named(layout: Layout, text: str) -> int:
    wanted = folded(text)
    for at, title in enumerate(layout.headings):
        if title == text or (wanted and folded(title) == wanted):
            return at
    if text.isdecimal() and 1 <= int(text) <= len(layout.meanings):
        return int(text) - 1
    if text.isascii() and text.isalpha() and text.isupper() and len(text) <= 2:
        at = 0
        for letter in text:
            at = at * 26 + ord(letter) - 64
        if at <= len(layout.meanings):
            return at - 1
    titles = ", ".join(f"{number}: {title or '(no heading)'}" for number, title in enumerate(layout.headings, 1))
    raise UserError("No such column", where=text, why=f"the list has {titles}", fix="Name a column by its heading, number or letter")


class Memory(Protocol):
    """Where corrections are kept: the workspace."""

    def state(self, name: str) -> str: ...
    def set_state(self, name: str, text: str) -> None: ...


def remembered(memory: Memory, layout: Layout) -> Layout:
    """The layout, corrected as a person corrected an earlier list with the same headings."""
    text = memory.state(_STATE + layout.key) if layout.key else ""
    try:
        kept = json.loads(text) if text else None
    except (ValueError, RecursionError):  # the database is the person's own file; what cannot be read there is no correction
        return layout
    if not isinstance(kept, list) or len(kept) != len(layout.meanings) or any(one not in MEANINGS for one in kept):
        return layout
    used = [one for one in kept if one]
    return layout if len(used) != len(set(used)) else replace(layout, meanings=tuple(kept), corrected=True)


def remember(memory: Memory, layout: Layout) -> None:
    """Keep a corrected layout for the next list with the same headings; one that is as it was recognised needs no keeping."""
    if layout.key and layout.corrected:
        memory.set_state(_STATE + layout.key, json.dumps(layout.meanings))
