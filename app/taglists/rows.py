"""From the cells of one row to one tag: what is the same for every driver. Problems are collected, never the first one only."""

from __future__ import annotations

import re
from typing import Literal

from app.drivers.base import TypedAddresses
from app.edits.tags import TagDraft
from app.errors import UserError
from app.model.values import INTEGER_LIMITS, NUMERIC_TYPES, SCALAR_TYPES
from app.taglists import states
from app.taglists.base import Context, TagRow
from app.taglists.columns import Layout
from app.taglists.contents import in_grammar
from app.taglists.scales import NOTHING, factor, limits, measured
from app.taglists.spreadsheet import number
from app.taglists.table import Row, Table
from app.taglists.words import Meaning

Access = Literal["r", "rw", "w"]


class RowReader:
    """One row; ``tag_row`` gives the result.

    ``section_access`` is what a section title says of the rows below it.
    """

    def __init__(self, table: Table, layout: Layout, row: Row, context: Context) -> None:
        self._table, self._layout, self._row, self._context = table, layout, row, context
        self._problems: list[UserError] = []
        self._marks: list[str] = []
        self._order = ""
        self._implied_access: Access | None = None
        self._is_enum = False
        self._is_ours = in_grammar(self.cell("address"))  # a list of our own form is taken word for word
        for column, why in row.troubles.items():
            if column < len(layout.meanings) and layout.meanings[column]:
                self._problem(layout.meanings[column], "No value", why, "Open the workbook, let it calculate, and save it")
        extra = [cell for cell in row.cells[len(layout.meanings) :] if cell]
        if extra:
            self._problem("", "Too many cells", f"nothing may stand behind the last column: {extra[0]}", "Put texts with commas in quotes")

    def tag_row(self) -> TagRow:
        address, type_ = self._address()
        unit, unit_gain = self._unit()
        gain = self._gain(unit_gain)
        names = self._states(type_)
        low, high = self._limits(type_, gain)
        draft = TagDraft(
            address=address,
            name=self._name(address),
            type=type_,
            gain=gain,
            offset=self._offset(),
            unit=unit,
            low=low,
            high=high,
            enum=names,
            access=self._access(),
            description=self._description(),
        )
        draft = self._checked(draft)
        cells = tuple((meaning, self.cell(meaning)) for meaning in self._layout.meanings if meaning)
        place = self._table.place(self._row.number)
        tag = None if self._problems else draft
        return TagRow(self._row.number, tag, tuple(self._problems), tuple(dict.fromkeys(self._marks)), cells, place, self._order)

    def cell(self, meaning: Meaning) -> str:
        """The text under a meaning, "" where there is no such column or nothing in it."""
        column = self._layout.column(meaning)
        return self._row.cell(column) if column >= 0 else ""

    # Address and type

    def _address(self) -> tuple[str, str]:
        """Canonical address and type word; ("", "") with a problem. This one reads the driver's own grammar."""
        spec, given = self._context.spec, self.cell("address")
        if not given:
            self._problem("address", "No address", "the cell is empty", "Give every tag an address")
            return "", ""
        type_, order = self._type_words()
        notation = self._context.notation if self._context.notation in ("modicon", "one-based", "hex") else ""
        try:
            if isinstance(spec, TypedAddresses):
                address = spec.with_type(given, type_, order, notation=notation)
                return address, spec.type_of(address)
            address = spec.parse_address(given, namespaces=self._context.namespaces, notation=notation)
        except UserError as error:
            self._problem("address", error.what, f"{error.where}: {error.why}", error.fix)
            return "", ""
        if order:
            self._problem("order", "No byte order here", f"{spec.title} has none", "Leave the column empty")
        word = type_.lower()
        if word and word.removesuffix("[]") not in SCALAR_TYPES:
            why = f"{type_!r} is none of {', '.join(SCALAR_TYPES)}, with [] behind for arrays"
            self._problem("type", "Unknown type", why, "Leave it empty")
        return address, word

    def _type_words(self) -> tuple[str, str]:
        return self.cell("type"), self.cell("order")

    # Texts

    def _name(self, address: str) -> str:
        if self._is_ours and self.cell("name"):
            return self.cell("name")
        name = " ".join(self.cell("name").split())
        if name and name.lower() not in NOTHING:
            return name
        description = " ".join(self.cell("description").split())
        if not self.cell("name") and 0 < len(description) <= 60 and self._layout.column("name") >= 0:
            return description
        return self._context.spec.short_address(address) if address else ""

    def _description(self) -> str:
        text = self.cell("description")
        if self._is_ours:
            return text
        return "" if text.strip() in ("-", "--", "–", "—") else " ".join(text.split())

    # Scale, unit, range

    def _unit(self) -> tuple[str, float | None]:
        found = measured(self.cell("unit"))
        if found.inverted:
            self._marks.append(f"{self.cell('unit')!r} is read as: one count is {found.gain:g} of the unit")
        return found.unit, found.gain

    def _gain(self, unit_gain: float | None) -> float:
        for meaning in ("gain", "divisor"):
            text = self.cell(meaning)
            if text.lower() in NOTHING:
                continue
            found = factor(text)
            if found is None:
                if number(text) == 0.0:
                    self._problem(meaning, "A gain of 0", "every value would be the offset", "Leave the cell empty for 1")
                else:
                    fix = "Write 0.1, 0,1, /10, 1/10, 10^-1 or 1e-3, without thousands separators"
                    self._problem(meaning, "Not a number", text, fix)
                return 1.0
            gain = found.gain if meaning == "gain" or found.gain < 1.0 or text.lstrip()[:1] in "/÷" else 1.0 / found.gain
            if unit_gain is not None and abs(unit_gain - gain) > 1e-12 * abs(gain):
                if gain == 1.0:
                    return unit_gain
                why = f"the unit says one count is {unit_gain:g}, the scale says {gain:g}"
                self._problem(meaning, "Two scales", why, "Keep one")
            return gain
        return unit_gain if unit_gain is not None else 1.0

    def _offset(self) -> float:
        text = self.cell("offset")
        if text.lower() in NOTHING:
            return 0.0
        value = number(text)
        if value is None:
            self._problem("offset", "Not a number", text, "Write 0.1, 0,1 or 1e-3, without thousands separators")
            return 0.0
        return value

    def _limits(self, type_: str, gain: float) -> tuple[float | None, float | None]:
        """As the list writes them; the limits of the type itself say nothing and are left out."""
        pair = limits(self.cell("range"))
        low, high = pair or (None, None)
        for meaning in ("low", "high"):
            text = self.cell(meaning)
            if text.lower() in NOTHING:
                continue
            value = number(text.lstrip("+"))
            if value is None:
                self._marks.append(f"{meaning} limit {text!r} is no number and was left out")
            elif meaning == "low":
                low = value
            else:
                high = value
        full = INTEGER_LIMITS.get(type_)
        if full and low in (full[0], full[0] + 1, 0) and high in (full[1], full[1] - 1):
            return None, None
        if low is not None and high is not None and low >= high:
            self._marks.append(f"limits {low:g} and {high:g} are not in order and were left out")
            return None, None
        if type_ not in NUMERIC_TYPES or (self._is_enum and low is not None):
            return None, None
        return low, high

    # States and access

    def _states(self, type_: str) -> dict[str, str]:
        if type_ in ("string", "float32", "float64", "datetime"):
            return {}
        for meaning in ("enum", "range") if self._is_ours else ("enum", "range", "description", "unit"):
            found = states.states(self.cell(meaning))
            if found and (meaning != "description" or not re.search(r"(?i)\bbit\s*[0-9]", self.cell("description"))):
                self._is_enum = True
                return dict(found)
        return {}

    def _access(self) -> Access:
        text = self.cell("access")
        if text.lower() in NOTHING:
            return self._implied_access or "r"
        found = states.access(text)
        if found is None:
            self._problem("access", "Unknown access", text, "Write r, rw or w")
            return "r"
        return found

    def _checked(self, draft: TagDraft) -> TagDraft:
        """Whether the parts fit together."""
        if not self._is_ours and draft.type in ("string", "bool", "datetime") and (draft.gain != 1.0 or draft.offset != 0.0):
            self._marks.append(f"a {draft.type} has no scale: the factor {draft.gain:g} was left out")
            return TagDraft(
                address=draft.address, name=draft.name, type=draft.type, unit=draft.unit, enum=draft.enum, access=draft.access,
                description=draft.description,
            )  # fmt: skip
        return draft

    def _problem(self, meaning: Meaning, what: str, why: str, fix: str) -> None:
        column = self._layout.column(meaning) if meaning else -1
        where = self._table.place(self._row.number, column, meaning)
        self._problems.append(UserError(what, where=where, why=why, fix=fix))
