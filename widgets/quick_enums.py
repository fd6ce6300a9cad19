"""Enumerations of PySide6 made in a twentieth of the time. For the process of the window, before PySide6 is imported.

PySide6 hands each of its enumerations to ``enum`` of the standard library when the class around it is first named: 240 of them with 3,800
members until the window is painted, a quarter of its whole start. ``enum`` is slow because it allows for descriptors, for values that
cannot be hashed, for members that make themselves. Those of Qt are names and integers; what comes out for them is the same to the last
attribute (a test compares every one of them), and anything else is left to ``enum``.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Iterable
from functools import reduce
from operator import methodcaller, or_
from typing import Any, Final  # Any: the classes that are made here have attributes which no type knows

_MADE: Final = (enum.Enum, enum.IntEnum, enum.Flag, enum.IntFlag)
_SLOW: Final = enum.EnumType._create_  # type: ignore[attr-defined]  # not in the stubs
_OF_EACH: Final = frozenset({"_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "__new__"})
_PRIVATE: Final = methodcaller("startswith", "_")
_PRECEDENTS: Final[dict[type, tuple[dict[str, object], frozenset[str]]]] = {}
"""Base → what an enumeration of it without a member has, and the names that no member may have."""


def install() -> None:
    """Nothing on a Python whose ``enum`` keeps its books in another way."""
    if sys.version_info[:2] == (3, 11) and sys.version_info >= (3, 11, 5):
        enum.EnumType._create_ = _create  # type: ignore[attr-defined]  # not in the stubs


def _create(cls: Any, name: str, names: Any, **named: Any) -> Any:
    """``EnumType._create_``: the functional form, ``Enum("Colour", [("red", 1)])``."""
    if cls in _MADE and isinstance(names, tuple | list) and named.get("boundary") is enum.KEEP and named.get("type") is None:
        namespace, taken = _PRECEDENTS.get(cls) or _precedent(cls)
        if {type(item) for item in names} == {tuple} and {type(value) for _, value in names} == {int} and _plain(dict(names), taken):
            made = _filled(cls, name, names, namespace)
            made.__module__ = named.get("module") or sys._getframe(2).f_globals.get("__name__")
            if (qualified := named.get("qualname")) is not None:
                made.__qualname__ = qualified
            return made
    if named.get("module") is None:
        named["module"] = sys._getframe(2).f_globals.get("__name__")  # as the original would, which is one frame further now
    return _SLOW(cls, name, names, **named)


def _plain(names: dict[str, int], taken: frozenset[str]) -> bool:
    return taken.isdisjoint(names) and not any(map(_PRIVATE, names))


def _precedent(cls: Any) -> tuple[dict[str, object], frozenset[str]]:
    empty = _SLOW(cls, "Empty", (), module=__name__, boundary=enum.KEEP)
    namespace = {key: value for key, value in vars(empty).items() if key not in _OF_EACH}
    return _PRECEDENTS.setdefault(cls, (namespace, frozenset({*dir(empty), *dir(enum.EnumType), "mro", ""})))


def _filled(cls: Any, name: str, names: Iterable[tuple[str, int]], namespace: dict[str, object]) -> Any:
    members: dict[str, Any] = {}
    by_value: dict[int, Any] = {}
    listed: list[str] = []
    made: Any = type.__new__(
        enum.EnumType,
        name,
        (cls,),
        {**namespace, "_member_names_": listed, "_member_map_": members, "_value2member_map_": by_value, "_unhashable_values_": []},
    )
    made.__new__ = enum.Enum.__new__
    is_int, is_flag = issubclass(cls, int), issubclass(cls, enum.Flag)
    for key, value in names:
        member = by_value.get(value)
        if member is None:
            by_value[value] = member = int.__new__(made, value) if is_int else object.__new__(made)
            member._value_ = value
            member._name_ = key
            member.__objclass__ = made
            member._sort_order_ = len(listed)
            if not is_flag or (value > 0 and not value & (value - 1)):
                listed.append(key)
        members[key] = member
    put = type.__setattr__
    for key, member in members.items():  # after all are made: each of these has Python look up anew what such a member has
        put(made, key, member)
    if is_flag:
        mask = reduce(or_, by_value, 0)
        singles = [members[key]._value_ for key in listed]
        made._flag_mask_, made._singles_mask_, made._all_bits_ = mask, sum(singles), (1 << mask.bit_length()) - 1
        if singles != sorted(singles):
            made._iter_member_ = made._iter_member_by_def_
    return made
