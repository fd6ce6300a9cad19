"""Attribute lists as CSV: ``type,attribute,data_type,unit,low,high,required,enum,description`` in any order, one attribute a row."""

from __future__ import annotations

import csv
import io
import math
from typing import Final

from app.errors import CollectedError, UserError
from app.itmodels.base import Format, ReadModel, TypeDraft
from app.model.values import SCALAR_TYPES
from app.units import recognise

_COLUMNS: Final = {
    "type": ("type", "asset type", "asset_type", "assettype", "class"),
    "name": ("attribute", "name", "property", "signal"),
    "data_type": ("data_type", "data type", "datatype"),
    "unit": ("unit", "units", "uom", "eu"),
    "low": ("low", "min", "minimum", "eu low"),
    "high": ("high", "max", "maximum", "eu high"),
    "required": ("required", "mandatory"),
    "enum": ("enum", "values", "states"),
    "description": ("description", "comment", "note"),
}
_TYPE_WORDS: Final = {
    "boolean": "bool", "bit": "bool", "byte": "uint8", "sint": "int8", "usint": "uint8", "int": "int16", "word": "uint16", "uint": "uint16",
    "dint": "int32", "dword": "uint32", "udint": "uint32", "lint": "int64", "ulint": "uint64", "integer": "int32", "long": "int64",
    "real": "float32", "float": "float32", "single": "float32", "lreal": "float64", "double": "float64", "number": "float64",
    "text": "string", "str": "string", "enumeration": "enum", "time": "datetime", "date": "datetime", "timestamp": "datetime",
}  # fmt: skip
_TRUE: Final = frozenset({"1", "true", "yes", "y", "x", "ja", "oui", "si"})
_FALSE: Final = frozenset({"", "0", "false", "no", "n", "nein", "non"})


def read(data: bytes, name: str) -> ReadModel:
    """Asset types of a CSV file. Rows without a type belong to the type above, or to one named like the file.

    Raises:
        UserError: No column for the attribute's name.
        CollectedError: Every row that is wrong, with its line; then nothing is imported, since a type with missing attributes
            would look complete.
    """
    rows, columns = _rows(data, name)
    model = ReadModel()
    drafts: dict[str, TypeDraft] = {}
    problems: list[UserError] = []
    current = name.rsplit("/", 1)[-1].rsplit(".", 1)[0]
    for line, row in rows:
        cells = {field: row[index].strip() if index < len(row) else "" for field, index in columns.items()}
        if not any(cells.values()):
            continue
        current = cells.get("type") or current
        draft = drafts.setdefault(current, TypeDraft(current))
        try:
            draft.attributes.append(attribute_fields(cells, f"{name}:{line}", draft, model))
        except UserError as error:
            problems.append(error)
    if problems:
        raise CollectedError("Attributes not imported", where=name, problems=problems, fix="Correct these rows and import again")
    model.types = list(drafts.values())
    if not model.types:
        raise UserError("Nothing to import", where=name, why="there is no row below the headings", fix="Add one row per attribute")
    return model


def _rows(data: bytes, name: str) -> tuple[list[tuple[int, list[str]]], dict[str, int]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", "replace")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise UserError("Attributes not imported", where=f"{name}:{reader.line_num}", why=str(error), fix="Save it as CSV again") from error
    headings = [cell.strip().lower() for cell in rows[0][1]] if rows else []
    columns = {field: headings.index(word) for field, words in _COLUMNS.items() for word in words if word in headings}
    if (
        "data_type" not in columns
        and headings.count("type") == 1
        and any(_data_type(row[headings.index("type")]) for _, row in rows[1:2] if len(row) > headings.index("type"))
    ):
        columns["data_type"] = columns.pop("type")
    if "name" not in columns:
        why = f"no column is headed attribute or name (found: {', '.join(headings) or 'nothing'})"
        raise UserError(
            "Attributes not imported",
            where=f"{name}:1",
            why=why,
            fix="Name the columns: type,attribute,data_type,unit,low,high,required,enum,description",
        )
    return rows[1:], columns


def attribute_fields(cells: dict[str, str], where: str, draft: TypeDraft, model: ReadModel) -> dict[str, object]:
    """Fields of one attribute from the texts of its cells. Raises UserError for the first that is wrong; losses go to ``model``."""
    if not cells["name"]:
        raise UserError("Row not read", where=where, why="the attribute has no name", fix="Fill in the name")
    if any(other["name"] == cells["name"] for other in draft.attributes):
        raise UserError(
            "Row not read", where=where, why=f"{draft.name} has an attribute {cells['name']!r} already", fix="Remove one of the rows"
        )
    enum = _members(cells.get("enum", ""), where)
    stated = cells.get("data_type", "")
    data_type = _data_type(stated) if stated else ("enum" if enum else "float64")
    if not data_type:
        raise UserError("Row not read", where=where, why=f"{stated!r} is no data type", fix="Use one of: " + ", ".join(SCALAR_TYPES))
    fields: dict[str, object] = {"name": cells["name"], "data_type": data_type, "description": cells.get("description", ""), "enum": enum}
    for side in ("low", "high"):
        if cells.get(side):
            fields[side] = _number(cells[side], side, where)
    fields["required"] = _flag(cells.get("required", ""), where)
    if unit := cells.get("unit", ""):
        found = recognise(unit)
        fields["unit"] = found.code if found else unit
        if not found:
            model.losses.append(f"{where}: the unit {unit!r} is not clearly one of the table and was kept as text")
    return fields


def _data_type(text: str) -> str:
    base, array = (text[:-2], "[]") if text.endswith("[]") else (text, "")
    word = base.strip().lower()
    word = _TYPE_WORDS.get(word, word)
    return f"{word}{array}" if word in SCALAR_TYPES else ""


def _number(text: str, side: str, where: str) -> float:
    try:
        number = float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError("Row not read", where=where, why=f"{side} is {text!r}, which is no number", fix="Write a number")
    return number


def _flag(text: str, where: str) -> bool:
    word = text.lower()
    if word in _TRUE | _FALSE:
        return word in _TRUE
    raise UserError("Row not read", where=where, why=f"required is {text!r}", fix="Write yes or no")


def _members(text: str, where: str) -> dict[str, str]:
    """``0=CLOSED|1=OPEN`` or ``CLOSED|OPEN``, also with commas or semicolons between."""
    if not text:
        return {}
    separator = max("|;,", key=text.count)
    parts = [part.strip() for part in text.split(separator) if part.strip()]
    pairs = [part.split("=", 1) if "=" in part else (str(number), part) for number, part in enumerate(parts)]
    wrong = [number for number, _ in pairs if not number.strip().lstrip("-").isdigit()]
    if wrong:
        raise UserError("Row not read", where=where, why=f"{wrong[0]!r} is no number of an enumeration", fix="Write 0=CLOSED|1=OPEN")
    return {number.strip(): member.strip() for number, member in pairs}


FORMAT = Format("csv", "CSV attribute list", (".csv", ".tsv", ".txt"), read)
