"""What is learned of an endpoint while it is used, and what a session works with beside that. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from app.drivers.base import EndpointConfig, Learned
from app.model.plant import Identity

LEARNED_CHARACTERS: Final = 250_000
"""Kept of what a connector says that it learned: it goes into one frame."""


def worked_with(config: EndpointConfig) -> EndpointConfig:
    """What a session decodes by: of the identity, only the register that it reads; not what it only spares itself by."""
    return msgspec.structs.replace(config, identity=Identity(register=config.identity.register), learned=Learned())


def merged(known: Learned, more: Learned) -> Learned:
    """A limit only ever falls; ``Link.reopen`` with a fresh configuration forgets it all. Nothing new where it would be too much."""
    limits = known.limits | {name: min(number, known.limits.get(name, number)) for name, number in more.limits.items()}
    quarantined = known.quarantined | more.quarantined
    if sum(map(len, [*limits, *quarantined, *quarantined.values()])) > LEARNED_CHARACTERS:
        return known
    return Learned(limits=limits, quarantined=quarantined)
