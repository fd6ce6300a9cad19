"""Whether the device that answered is the one the project knows at this address, and how that is said. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from app.errors import EndpointError
from app.model.plant import Identity

Kind = Literal["device", "firmware", "certificate", "unknown"]

_TITLES: Final = {"application_uri": "application URI", "thumbprint": "certificate", "product": "product"}
UNREAD: Final = "cannot be read"
_TEXT_LIMIT: Final = 80
"""Letters of a device's own text that are repeated in a sentence."""
_MARKS: Final = ("build", "version", "revision", "firmware", "ver", "ver.", "rev", "rev.", "fw", "v", "r")
_VERSION: Final = re.compile(r"(?:[vr]?\d+(?:\.\d+)+|[vr]\d+)(?:[-+]?[a-z]+[\d.]*|\(\d+\))?", re.ASCII | re.IGNORECASE)
"""``3.10.1``, ``V2.9.4``, ``01.04.16(04)``, ``1.0.0-rc1``; not ``750`` nor ``750-880``, which are products."""


class Difference(msgspec.Struct, frozen=True):
    """One field in which the device that answered is not the one of the project.

    Attributes:
        field: Of ``Identity``.
        title: What it is called in a sentence.
    """

    field: str
    title: str
    expected: str
    found: str

    def __str__(self) -> str:
        if self.found == UNREAD:
            return f"{self.title} {UNREAD}, it was {_short(self.expected)}"
        return f"{self.title} {_short(self.expected)} → {_short(self.found)}"


def differences(expected: Identity, found: Identity) -> tuple[Difference, ...]:
    """What differs; a field that is not known on one side is not compared.

    But for the register that a person named to tell this device from others: where it cannot be read, the device counts as another one.
    """
    changed = [
        Difference(name, title, old, new)
        for name, title in _TITLES.items()
        if (old := getattr(expected, name)) and (new := getattr(found, name)) and not _equal(name, old, new)
    ]
    if expected.register and expected.value:
        value = found.value if found.register == expected.register else UNREAD
        if value != expected.value:
            changed.append(Difference("value", f"value of {expected.register}", expected.value, value))
    return tuple(changed)


def kind_of(changed: Sequence[Difference]) -> Kind:
    """Nothing but the version differs, nothing but the certificate, the register that tells could not be read; else another device."""
    fields = {difference.field for difference in changed}
    if fields == {"thumbprint"}:
        return "certificate"
    if fields == {"product"} and _same_but_version(changed[0].expected, changed[0].found):
        return "firmware"
    if fields == {"value"} and changed[0].found == UNREAD:
        return "unknown"
    return "device"


def identity_error(url: str, changed: Sequence[Difference]) -> EndpointError:
    """Why nothing of this endpoint goes live."""
    place = place_of(url)
    what, fix = {
        "device": (f"{place} is now a different device", "Confirm the new device if it is meant, or check the address"),
        "firmware": (f"{place} has another version now", "Confirm it if the device was given new firmware, or check the address"),
        "certificate": (f"{place} has another certificate now", "Confirm it if the certificate was renewed, or check the address"),
        "unknown": (f"{place} cannot be told from another device", "Connect again, or confirm that it is the right one"),
    }[kind_of(changed)]
    why = "; ".join(map(str, changed)) + ". Nothing is read under the old tags until that is confirmed"
    return EndpointError(what, where=url, why=why, fix=fix, code="identity")


def place_of(url: str) -> str:
    """What a person calls the place: the host without its port, or the serial line."""
    rest = url.partition(":")[2]
    if not rest.startswith("//"):
        return "The device on " + rest.partition("?")[0] if rest else url
    host = re.split(r"[/?#]", rest[2:], maxsplit=1)[0]
    return re.sub(r":\d+$", "", host) or url


def _equal(name: str, old: str, new: str) -> bool:
    return old.casefold() == new.casefold() if name == "thumbprint" else old == new


def _same_but_version(old: str, new: str) -> bool:
    return _without_version(old) == _without_version(new)


def _without_version(product: str) -> list[str]:
    """The words of maker and product; in doubt, a number is part of the product, so that another device is not taken for new firmware."""
    words = product.replace(",", " ").split()
    while len(words) > 1:
        if _VERSION.fullmatch(words[-1]):
            words.pop()
        elif len(words) > 2 and words[-2].casefold() in _MARKS:
            del words[-2:]
        else:
            break
    return words


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_LIMIT else text[: _TEXT_LIMIT - 1] + "…"
