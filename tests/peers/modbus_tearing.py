"""A Modbus device that is read while it changes: its wide values are written one word after the other, and some replies show them half.

Each item has a history of every value that it truly had, so that a test can tell a torn value from a true one.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass, field

from tests.peers.modbus_fake import Request, refusal, registers
from tests.peers.modbus_fake import frame as tcp_frame

FORMS = {"int32": ">i", "uint32": ">I", "float32": ">f", "int64": ">q", "uint64": ">Q", "float64": ">d"}


def words_of(value: float, type_: str, order: str) -> list[int]:
    raw = struct.pack(FORMS[type_], value)
    words = [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
    if order in ("CDAB", "DCBA"):
        words.reverse()
    return [((word & 0xFF) << 8) | word >> 8 for word in words] if order in ("BADC", "DCBA") else words


@dataclass
class WideValue:
    """One item: where it stands, how it moves, and what it has been."""

    address: int
    type: str
    order: str
    value: float
    step: float
    true: set[float] = field(default_factory=set)
    before: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)

    def set(self, value: float) -> None:
        if self.type.startswith("float"):
            (value,) = struct.unpack(FORMS[self.type], struct.pack(FORMS[self.type], value))
        self.before = self.words
        self.value = value
        self.words = words_of(value, self.type, self.order)
        self.before = self.before or self.words
        self.true.add(value)

    def has_been(self, value: object) -> bool:
        """A float32 is told as the shortest decimal that is one."""
        return struct.unpack(FORMS[self.type], struct.pack(FORMS[self.type], value))[0] in self.true

    def torn(self, chance: random.Random) -> list[int]:
        """The upper or the lower words new, the others still as before."""
        cut = chance.randrange(1, len(self.words))
        first, second = (self.words, self.before) if chance.random() < 0.5 else (self.before, self.words)
        return first[:cut] + second[cut:]


@dataclass
class TearingDevice:
    """Moves what is asked for before every reply, tears some, and jumps honestly now and then.

    Attributes:
        tear: Part of the replies in which each value is shown torn.
        jump: Part of the replies before which a value jumps by 65,536 or more and stays there; these jumps are whole.
        torn: How often a value was shown that it never had.
    """

    values: list[WideValue]
    seed: int
    tear: float = 0.3
    jump: float = 0.02
    torn: int = 0
    replies: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        for value in self.values:
            value.set(value.value)

    def _jumped(self, item: WideValue) -> float:
        if item.type.startswith("float"):
            return self.chance.uniform(1.5, 3.5)
        return item.value + self.chance.choice((65536, -65536, 3 * 65536, 1_000_000))

    async def answer(self, request: Request) -> bytes:
        if request.function != 3:
            return refusal(request, 1)
        self.replies += 1
        memory: dict[int, int] = {}
        for item in self.values:
            if not request.address <= item.address < request.address + request.length:
                continue
            jumps = self.chance.random() < self.jump
            item.set(self._jumped(item) if jumps else item.value + item.step)
            words = item.words
            if not jumps and self.chance.random() < self.tear:
                words = item.torn(self.chance)
                self.torn += words not in (item.words, item.before)
            memory.update({item.address + n: word for n, word in enumerate(words)})
        content = [memory.get(request.address + n, 0) for n in range(request.length)]
        return tcp_frame(request.transaction, request.unit, registers(*content))
