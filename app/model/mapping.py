"""How one asset attribute is fed, and what leaves the gateway."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from app.model.element import Extended, Natural


class Op(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="op"):
    """One closed transform operator. They are applied in order; each is total: what it cannot do gives bad quality, with a reason."""


class Linear(Op, frozen=True, kw_only=True, tag="linear"):
    """raw_low…raw_high becomes low…high; with ``clamp`` never beyond."""

    raw_low: float
    raw_high: float
    low: float
    high: float
    clamp: bool = False


class GainOffset(Op, frozen=True, kw_only=True, tag="gain"):
    """value * gain + offset."""

    gain: float = 1.0
    offset: float = 0.0


class Sqrt(Op, frozen=True, kw_only=True, tag="sqrt"):
    """Square-root extraction over a span: high * sqrt(value / high) for 0…high; below 0 gives 0."""

    high: float


class Bit(Op, frozen=True, kw_only=True, tag="bit"):
    """Bit ``index`` of an integer as bool; 0 is the least significant."""

    index: Annotated[int, msgspec.Meta(ge=0, le=63)]


class Mask(Op, frozen=True, kw_only=True, tag="mask"):
    """(value & mask) >> shift, on integers."""

    mask: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
    shift: Annotated[int, msgspec.Meta(ge=0, le=63)] = 0


class EnumNames(Op, frozen=True, kw_only=True, tag="enum"):
    """Number → name. ``other`` for numbers without a name; without it those give bad quality."""

    names: dict[str, str]
    other: str | None = None


class UnitConversion(Op, frozen=True, kw_only=True, tag="unit"):
    """From one UNECE Rec 20 code to another, by the frozen factors of ``resources/units.csv``."""

    source: str
    target: str


class Clamp(Op, frozen=True, kw_only=True, tag="clamp"):
    low: float | None = None
    high: float | None = None


class Cast(Op, frozen=True, kw_only=True, tag="cast"):
    """To another type; a value that does not fit gives bad quality, never a wrapped or cut one."""

    type: str
    rounding: Literal["half_even", "floor", "ceil", "truncate"] = "half_even"


class Round(Op, frozen=True, kw_only=True, tag="round"):
    digits: Annotated[int, msgspec.Meta(ge=-308, le=308)] = 0


class Not(Op, frozen=True, kw_only=True, tag="not"):
    """Logical not of a bool or of a number (0 is false)."""


class Trim(Op, frozen=True, kw_only=True, tag="trim"):
    """Strip white space and NUL from both ends of a string."""


class Part(Op, frozen=True, kw_only=True, tag="part"):
    """A part of a structure, array or matrix: ``motor[3].temp`` (``app.mapping.members``). Stands before all other operators."""

    path: str


Transform = Part | Linear | GainOffset | Sqrt | Bit | Mask | EnumNames | UnitConversion | Clamp | Cast | Round | Not | Trim


class Mapping(Extended, frozen=True, kw_only=True, tag="mapping"):
    """One attribute of one asset, fed by tags. Its review state is derived from approvals, never stored.

    Attributes:
        within: Ids of the components that lead from the asset to the attribute; empty for the asset's own attributes.
        sources: Tag ids. The operators take the first; more than one is for expressions.
        time: Which of the sample's times is delivered; where the protocol has none, the receive time is, and is named so.
        quality: ``pass`` delivers what came with its quality; ``good_only`` delivers null unless the quality is good;
            ``hold`` keeps the last good value for ``hold_s`` seconds, then null.
    """

    asset: str
    attribute: str
    within: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    transform: tuple[Transform, ...] = ()
    time: Literal["source", "server", "receive"] = "source"
    quality: Literal["pass", "good_only", "hold"] = "pass"
    hold_s: float = 0.0
    interval_ms: Natural | None = None
    note: str = ""


class Delivery(Extended, frozen=True, kw_only=True, tag="delivery"):
    """What leaves the gateway. One default per project (``asset_type`` is ""), and an override per asset type.

    Attributes:
        topic: Template with {enterprise} {site} {area} {line} {cell} {asset} {type} and, per attribute, {attribute}. A level
            that an asset does not have is left out with its slash.
        message: One JSON message per asset, or one per attribute.
        keys: Attribute names as they are, or rewritten.
        quality: ``none``; ``text`` adds good / uncertain / bad; ``code`` adds the protocol's code as a number.
        null: What happens to an attribute without a usable value.
        trigger: On change of any value in it, or every ``period_ms``.
    """

    asset_type: str = ""
    topic: str = "{enterprise}/{site}/{area}/{line}/{cell}/{asset}"
    message: Literal["asset", "attribute"] = "asset"
    keys: Literal["name", "snake_case", "camelCase"] = "name"
    time: Literal["rfc3339", "epoch_ms", "epoch_ns"] = "rfc3339"
    quality: Literal["none", "text", "code"] = "text"
    unit: bool = True
    null: Literal["null", "omit"] = "null"
    qos: Literal[0, 1, 2] = 1
    retain: bool = False
    trigger: Literal["change", "periodic"] = "change"
    period_ms: Natural = 1000
