"""*Why does this look wrong?*: what registers may mean, ranked, with reasons. It proposes; it never changes anything. Pure, numpy."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from app.drivers.modbus import evidence
from app.drivers.modbus.address import ORDERS
from app.drivers.modbus.evidence import FLOATS, INTEGERS, Evidence, Expectation, Values
from app.drivers.modbus.registers import Words, decode_checked
from app.drivers.modbus.types import REGISTER_TYPES, REGISTERS_OF

BEFORE: Final = 2
AFTER: Final = 8
"""Registers around the tag's first one that should be read: enough for 64 bits one register later, and for a neighbour on each side."""
TYPES: Final = (
    "int16", "uint16", "int32", "uint32", "float32", "int64", "uint64", "float64", "float16", "bcd16", "bcd32", "mod10k32",
)  # fmt: skip
OFFSETS: Final = (0, -1, 1)
GAINS: Final = (1.0, 0.1, 0.01, 0.001, 10.0, 100.0, 1000.0)
OFFSET_POINTS: Final = {0: 0.8, -1: -0.6, 1: -0.4}
TYPE_AS_STATED: Final = 1.0
ORDER_AS_STATED: Final = 0.6
MISPLACED: Final = 3.0
"""Log odds above which the present reading is called wrong."""

Verdict = Literal["plausible", "doubtful", "wrong", "not available", "cannot tell"]


@dataclass(frozen=True, slots=True)
class Interpretation:
    """One way to read the registers.

    Attributes:
        offset: Registers from the tag's own first one: -1, 0 or 1.
        value: Of the newest sample, with ``gain``; None where the words are none of this type.
        points: Sum of the evidence, log odds.
        share: Of all interpretations together, 0…1: how sure one may be.
        reasons: Best first, in words.
        same: Other types or orders that give the same values.
        current: Whether the tag reads it this way now.
    """

    offset: int
    type: str
    order: str
    gain: float
    value: float | None
    points: float
    share: float
    reasons: tuple[str, ...]
    same: tuple[str, ...] = ()
    current: bool = False

    @property
    def registers(self) -> int:
        return REGISTERS_OF[self.type]

    @property
    def confidence(self) -> Literal["high", "fair", "low"]:
        return "high" if self.share >= 0.8 else "fair" if self.share >= 0.45 else "low"


@dataclass(frozen=True, slots=True)
class Judgement:
    """``current`` is the tag's own reading, also among ``ranked``; ``why`` a sentence about it."""

    verdict: Verdict
    why: str
    current: Interpretation
    ranked: tuple[Interpretation, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be judged.

    Attributes:
        words: Shape (samples, registers), oldest first; one sample is enough, ten a second apart tell much more.
        first: Which column the tag's first register is.
        type, order, gain: How the tag is read now.
        expected: What a person knows of the value.
    """

    words: Words
    first: int
    type: str
    order: str
    gain: float = 1.0
    expected: Expectation = Expectation()  # noqa: RUF009  it is frozen


def judge(question: Question) -> Judgement:
    """Every interpretation, best first. Linear in the number of samples; about 100 are weighed."""
    weighed = _with_shares(_without_twins(list(_candidates(question))))
    current = next((one for one in weighed if one.current), None)
    if current is None:
        current = _unreadable(question)
        weighed = [*weighed, current]
    verdict, why = _verdict(question, current, weighed)
    return Judgement(verdict, why, current, tuple(weighed))


def _candidates(question: Question) -> Iterator[Interpretation]:
    readings = _Readings(question.words)
    for offset in OFFSETS:
        for type_ in dict.fromkeys((question.type, *TYPES)):
            for order in _orders(type_):
                values = readings.values(question.first + offset, type_, order)
                if values is not None:
                    yield _weighed(question, readings, offset, type_, order, values)


def _orders(type_: str) -> Sequence[str]:
    """Those that make a difference; none for what is no number."""
    if type_ not in REGISTERS_OF or REGISTER_TYPES[type_].kind == "clock":
        return ()
    return ORDERS if REGISTERS_OF[type_] > 1 else ("ABCD", "BADC")


class _Readings:
    """Every type and order is decoded once over all registers."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._decoded: dict[tuple[str, str], tuple[Values, list[bool]]] = {}

    def values(self, column: int, type_: str, order: str) -> Values | None:
        """Samples at one place; None where the registers were not read, or hold nothing of this type."""
        if column < 0 or column + REGISTERS_OF[type_] > self._words.shape[1]:
            return None
        if (type_, order) not in self._decoded:
            self._decoded[type_, order] = self._all(type_, order)
        values, valid = self._decoded[type_, order]
        return values[:, column] if valid[column] else None

    def _all(self, type_: str, order: str) -> tuple[Values, list[bool]]:
        windows = np.lib.stride_tricks.sliding_window_view(self._words, REGISTERS_OF[type_], axis=1)
        shape = windows.shape[:2]
        with np.errstate(all="ignore"):  # what is read wrongly overflows
            values, valid = decode_checked(windows.reshape(-1, REGISTERS_OF[type_]), type_, order)
            every = [True] * shape[1] if valid is None else np.all(valid.reshape(shape), axis=0).tolist()
            return values.astype(np.float64).reshape(shape), every


def _weighed(question: Question, readings: _Readings, offset: int, type_: str, order: str, values: Values) -> Interpretation:
    with np.errstate(all="ignore"):
        return _weigh(question, readings, offset, type_, order, values)


def _weigh(question: Question, readings: _Readings, offset: int, type_: str, order: str, values: Values) -> Interpretation:
    column, count = question.first + offset, REGISTERS_OF[type_]
    facts = [*_of_place(question, offset, type_, order)]
    facts += evidence.of_type(type_, order, count)
    if type_ in FLOATS:
        facts += evidence.of_float(values, type_)
    else:
        facts += evidence.of_integer(values, type_, count)
    facts += evidence.of_sentinel(question.words[:, column : column + count], type_)
    facts += evidence.of_time(values)
    around = (readings.values(column + step, type_, order) for step in (-count, count))
    facts += evidence.of_neighbours([found for found in around if found is not None], type_)
    gain, more = _best_gain(question, values, type_)
    facts += more
    present = question.order if count > 1 else {"CDAB": "ABCD", "DCBA": "BADC"}.get(question.order, question.order)
    reasons = tuple(fact.reason for fact in sorted(facts, key=lambda fact: -abs(fact.points)) if fact.reason)
    now = float(values[-1]) * gain
    return Interpretation(
        offset, type_, order, gain, None if math.isnan(now) else now, sum(fact.points for fact in facts), 0.0, reasons,
        current=(offset, type_, order) == (0, question.type, present),
    )  # fmt: skip


def _of_place(question: Question, offset: int, type_: str, order: str) -> Iterator[Evidence]:
    if offset:
        yield Evidence(OFFSET_POINTS[offset], f"one register {'later' if offset > 0 else 'earlier'}: counted from the other base?")
    else:
        yield Evidence(OFFSET_POINTS[0], "")
    if type_ == question.type:
        yield Evidence(TYPE_AS_STATED, "the type that is stated")
    if order == question.order and REGISTERS_OF[type_] > 1:
        yield Evidence(ORDER_AS_STATED, "the order that is stated")


def _best_gain(question: Question, values: Values, type_: str) -> tuple[float, list[Evidence]]:
    """Other scales are tried only where it is known what the value should be; without that any would do."""
    if not question.expected:
        return question.gain, []
    gains = [question.gain * gain for gain in GAINS] if question.expected.value is not None else [question.gain]
    tried = {
        gain: [*evidence.of_gain(gain / question.gain, type_), *evidence.of_expectation(values, gain, question.expected)] for gain in gains
    }
    best = max(tried, key=lambda gain: sum(fact.points for fact in tried[gain]))
    return best, tried[best]


def _without_twins(found: list[Interpretation]) -> list[Interpretation]:
    """Of those that read the same registers to the same value, the best; the present reading stays whatever it is."""
    kept: dict[tuple[int, int, float | None, bool], Interpretation] = {}
    for one in sorted(found, key=lambda one: (-one.points, not one.current)):
        key = (one.offset, one.registers, one.value, one.type in INTEGERS)
        best = kept.get(key)
        if best is None:
            kept[key] = one
            continue
        twin = one.type if one.order == best.order or one.registers == 1 else f"{one.type} {one.order}"
        kept[key] = replace(best, same=(*best.same, twin), current=best.current or one.current)
        if one.current:
            kept[key] = replace(kept[key], type=one.type, order=one.order, same=(*best.same, best.type))
    return sorted(kept.values(), key=lambda one: -one.points)


def _with_shares(found: Sequence[Interpretation]) -> list[Interpretation]:
    if not found:
        return []
    top = found[0].points
    weights = [math.exp(max(-50.0, one.points - top)) for one in found]
    return [replace(one, share=weight / sum(weights)) for one, weight in zip(found, weights, strict=True)]


def _unreadable(question: Question) -> Interpretation:
    reason = "these registers hold no value of this type, or could not be read"
    return Interpretation(0, question.type, question.order, question.gain, None, -math.inf, 0.0, (reason,), current=True)


def _verdict(question: Question, current: Interpretation, ranked: Sequence[Interpretation]) -> tuple[Verdict, str]:
    own = question.words[:, question.first : question.first + REGISTERS_OF.get(question.type, 1)]
    best = ranked[0]
    if not np.any(question.words):
        return "cannot tell", "every register around it is 0, whatever it is read as"
    if question.expected.value is None and any(evidence.SIGN in reason for reason in current.reasons):
        return "not available", "the device sends its sign for no value here"
    if not np.any(own):
        return "cannot tell", "its registers are 0 now, whatever they are read as"
    behind = best.points - current.points
    better = f"{best.type} {best.order}" + (
        f", {abs(best.offset)} register {'later' if best.offset > 0 else 'earlier'}" if best.offset else ""
    )
    if behind > MISPLACED:
        return "wrong", f"{better} is far more likely: {best.reasons[0] if best.reasons else 'the evidence is better'}"
    if behind > 0.5:
        return "doubtful", f"{better} is as likely or more so"
    if best.gain != question.gain and best.current:
        return "doubtful", f"read the right way, but {best.gain / question.gain:g} times as large as expected"
    return "plausible", "nothing else is more likely"
