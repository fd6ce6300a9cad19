"""JSON Schema (2020-12, and what older drafts share with it): objects become asset types, properties attributes.

Units are no part of JSON Schema: ``x-unit`` and ``unit`` are read where they stand, as UNECE codes, symbols or names.
"""

from __future__ import annotations

import json
from typing import Final, cast

from app.errors import UserError
from app.itmodels.base import Format, ReadModel, TypeDraft
from app.units import recognise

_SIZE_LIMIT: Final = 16 * 2**20
_DEPTH_LIMIT: Final = 24
_FORMATS: Final = {"date-time": "datetime", "uuid": "guid"}

Schema = dict[str, object]


def read(data: bytes, name: str) -> ReadModel:
    """Asset types of one schema file: its root, and what it calls from ``$defs`` (or ``definitions``).

    Raises:
        UserError: No JSON, not an object, or a reference that leaves the file.
    """
    root = _parse(data, name)
    return _Reader(root, name).run()


def _parse(data: bytes, name: str) -> Schema:
    if len(data) > _SIZE_LIMIT:
        raise UserError("Schema not read", where=name, why=f"it is larger than {_SIZE_LIMIT >> 20} MiB", fix="Split it")
    try:
        found = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise UserError("Schema not read", where=name, why=f"no JSON: {error}", fix="Choose a JSON Schema file") from error
    if not isinstance(found, dict):
        raise UserError("Schema not read", where=name, why="its top is no object", fix="Choose a JSON Schema file")
    return cast("Schema", found)


class _Reader:
    def __init__(self, root: Schema, source: str) -> None:
        self._root, self._source = root, source
        self._model = ReadModel()
        self._made: dict[str, str] = {}  # "$ref" → name of the type made from it
        self._nesting = 0  # types that are being read, one inside the other

    def run(self) -> ReadModel:
        defs = [(key, name) for key in ("$defs", "definitions") for name in _dict(self._root.get(key))]
        for key, name in defs:
            schema = _dict(_dict(self._root[key])[name])
            if self._is_object(schema, 0):
                self._type(schema, str(schema.get("title") or name), f"#/{key}/{name}")
        if "properties" in self._root or "allOf" in self._root:
            stem = self._source.rsplit("/", 1)[-1].split(".", 1)[0]
            self._type(self._root, str(self._root.get("title") or stem), "#")
        self._require_descent()
        if not self._model.types:
            raise UserError(
                "Nothing to import", where=self._source, why="the schema has no object with properties", fix="Choose a schema of objects"
            )
        return self._model

    def _require_descent(self) -> None:
        """Types may contain themselves (a tree does), but not extend themselves."""
        above = {draft.name: draft.extends for draft in self._model.types}
        for name, extended in above.items():
            seen, current = {name}, extended
            while current:
                if current in seen:
                    why = f"{name} extends itself through allOf"
                    raise UserError("Schema not read", where=self._source, why=why, fix="Break the circle")
                seen.add(current)
                current = above.get(current, "")

    def _type(self, schema: Schema, name: str, pointer: str) -> str:
        if pointer in self._made:
            return self._made[pointer]
        taken = {draft.name for draft in self._model.types}
        unique = name if name not in taken else next(f"{name} {n}" for n in range(2, 10_000) if f"{name} {n}" not in taken)
        self._made[pointer] = unique
        draft = TypeDraft(unique, _texts(schema, title="title", description="description", uri="$id"))
        self._model.types.append(draft)
        self._nesting += 1
        self._require_shallow(self._nesting, pointer)
        self._fill(draft, schema, pointer, 0)
        self._nesting -= 1
        return unique

    def _require_shallow(self, depth: int, pointer: str) -> None:
        if depth > _DEPTH_LIMIT:
            why = f"it is nested deeper than {_DEPTH_LIMIT}"
            raise UserError("Schema not read", where=f"{self._source}{pointer}", why=why, fix="Flatten the schema")

    def _fill(self, draft: TypeDraft, schema: Schema, pointer: str, depth: int) -> None:
        self._require_shallow(depth, pointer)
        for index, part in enumerate(_list(schema.get("allOf"))):
            ref = _dict(part).get("$ref")
            if isinstance(ref, str) and not draft.extends:
                draft.extends = self._type(self._resolve(ref, pointer, depth), ref.rsplit("/", 1)[-1], ref)
            else:
                self._fill(draft, self._target(_dict(part), pointer, depth), f"{pointer}/allOf/{index}", depth + 1)
        required = {str(name) for name in _list(schema.get("required"))}
        for name, part in _dict(schema.get("properties")).items():
            self._property(draft, name, _dict(part), f"{pointer}/properties/{name}", name in required, depth)
        for word in ("oneOf", "anyOf", "if", "patternProperties", "dependentRequired"):
            if word in schema:
                self._model.losses.append(f"{pointer}: {word} has no counterpart in an asset type and was left out")

    def _property(self, draft: TypeDraft, name: str, stated: Schema, pointer: str, required: bool, depth: int) -> None:
        schema = self._target(stated, pointer, depth)
        if self._is_object(schema, depth):
            ref = stated.get("$ref")
            where = ref if isinstance(ref, str) else pointer
            label = where.rsplit("/", 1)[-1] if isinstance(ref, str) else name[:1].upper() + name[1:]
            type_name = self._type(schema, str(schema.get("title") or label), where)
            draft.components.append((name, type_name, str(schema.get("description", ""))))
            return
        fields = {"name": name, "required": required, **_texts(schema, title="title", description="description"), **_range(schema)}
        fields |= self._data_type(schema, pointer, depth) | self._unit(schema, pointer)
        draft.attributes.append(fields)

    def _data_type(self, schema: Schema, pointer: str, depth: int) -> dict[str, object]:
        self._require_shallow(depth, pointer)
        stated = schema.get("type")
        kinds = [kind for kind in ([stated] if isinstance(stated, str) else _list(stated)) if isinstance(kind, str) and kind != "null"]
        if members := _members(schema):
            return {"data_type": "enum", "enum": members}
        if _list(schema.get("enum")):
            self._model.losses.append(f"{pointer}: enum without names has no counterpart in an asset type and was left out")
        if len(kinds) > 1 and set(kinds) != {"integer", "string"}:
            self._model.losses.append(f"{pointer}: of the types {', '.join(map(str, kinds))} only {kinds[0]} was taken")
        kind = kinds[0] if kinds else None
        if kind == "array":
            inner = self._data_type(self._target(_dict(schema.get("items")), pointer, depth), f"{pointer}/items", depth + 1)
            return {"data_type": f"{str(inner['data_type']).removesuffix('[]')}[]"}
        return {"data_type": self._scalar(kind, kinds, schema, pointer)}

    def _scalar(self, kind: str | None, kinds: list[str], schema: Schema, pointer: str) -> str:
        match kind:
            case "boolean":
                return "bool"
            case "integer":
                return _integer(schema) if len(kinds) == 1 else "int64"
            case "number":
                return "float32" if schema.get("format") == "float" else "float64"
            case "string":
                encoded = schema.get("contentEncoding") == "base64"
                return "bytes" if encoded else _FORMATS.get(str(schema.get("format")), "string")
            case "object":
                return "struct"
        self._model.losses.append(f"{pointer}: states no type; string was assumed")
        return "string"

    def _unit(self, schema: Schema, pointer: str) -> dict[str, object]:
        text = schema.get("x-unit") or schema.get("unit")
        if not isinstance(text, str) or not text:
            return {}
        found = recognise(text)
        if not found:
            self._model.losses.append(f"{pointer}: the unit {text!r} is not clearly one of the table and was kept as text")
        return {"unit": found.code if found else text}

    def _is_object(self, schema: Schema, depth: int) -> bool:
        return "properties" in schema or ("allOf" in schema and depth < _DEPTH_LIMIT)

    def _target(self, schema: Schema, pointer: str, depth: int) -> Schema:
        ref = schema.get("$ref")
        return self._resolve(ref, pointer, depth) | {k: v for k, v in schema.items() if k != "$ref"} if isinstance(ref, str) else schema

    def _resolve(self, ref: str, pointer: str, depth: int) -> Schema:
        self._require_shallow(depth, pointer)
        if not ref.startswith("#"):
            why = f'the reference "{ref}" leads out of the file'
            raise UserError("Schema not read", where=f"{self._source}{pointer}", why=why, fix="Bundle the schema into one file first")
        current: object = self._root
        for part in filter(None, ref[1:].split("/")):
            current = _dict(current).get(part.replace("~1", "/").replace("~0", "~"))
        if not isinstance(current, dict):
            raise UserError("Schema not read", where=f"{self._source}{pointer}", why=f'nothing is at "{ref}"', fix="Correct the reference")
        if "$ref" in current and current["$ref"] != ref:
            return self._resolve(str(current["$ref"]), pointer, depth + 1)
        return cast("Schema", current)


def _dict(value: object) -> Schema:
    return cast("Schema", value) if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(schema: Schema, **fields: str) -> dict[str, object]:
    return {field: schema[key] for field, key in fields.items() if isinstance(schema.get(key), str)}


def _range(schema: Schema) -> dict[str, object]:
    pairs = {"low": ("minimum", "exclusiveMinimum"), "high": ("maximum", "exclusiveMaximum")}
    found = {field: next((schema[key] for key in keys if _is_number(schema.get(key))), None) for field, keys in pairs.items()}
    return {field: float(cast("float", value)) for field, value in found.items() if value is not None}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _members(schema: Schema) -> dict[str, str]:
    """Number → name. Members that are plain texts are numbered in their order."""
    titled = [_dict(part) for part in _list(schema.get("oneOf")) if "const" in _dict(part)]
    if titled and all(isinstance(part["const"], int) for part in titled):
        return {str(part["const"]): str(part.get("title", part["const"])) for part in titled}
    names = [str(part["const"]) for part in titled] or [str(name) for name in _list(schema.get("enum")) if isinstance(name, str)]
    return {str(number): name for number, name in enumerate(names)}


def _integer(schema: Schema) -> str:
    stated = str(schema.get("format", ""))
    if stated in ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"):
        return stated
    low, high = schema.get("minimum"), schema.get("maximum")
    if not (isinstance(low, int) and isinstance(high, int)):
        return "int64"
    signs = ("uint", "int") if low >= 0 else ("int",)
    for bits in (8, 16, 32, 64):
        for sign in signs:
            bottom, top = (0, 2**bits - 1) if sign == "uint" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
            if bottom <= low and high <= top:
                return f"{sign}{bits}"
    return "int64"


FORMAT = Format("json-schema", "JSON Schema", (".json", ".schema.json"), read)
