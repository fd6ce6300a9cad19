"""Which tags ``read`` and ``watch`` are asked for: addresses on the command line, a list in a file or on stdin, or those of a project."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.commands.terminal.endpoint import Target, raise_all
from app.drivers.base import Spec
from app.edits.tags import TagDraft
from app.errors import UserError
from app.model.plant import Tag
from app.taglists.base import Context
from app.taglists.reading import read_list

STDIN: Final = "-"


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, as it was written."""

    addresses: tuple[str, ...]
    listed: bytes | None
    list_name: str
    notation: str


ANY_NAMESPACE: Final = tuple(f"urn:index:{index}" for index in range(2**16))
"""Stands in for a server's namespaces before it is connected, so that the form of an address can be judged."""


def asked_for(target: Target, addresses: Sequence[str], tags: str | None, notation: str | None) -> Asked:
    """Read the list, and check the form of everything, before anything is connected.

    Raises:
        UserError: Nothing was asked for, or the list cannot be read.
        CollectedError: Every address that is none.
    """
    if addresses and tags:
        why = "both addresses and --tags are given"
        raise UserError("Too much was asked for", where="the command line", why=why, fix="Give one of them")
    if not addresses and not tags and not (target.in_project and target.project.tags_of(target.endpoint.id)):
        fix = 'Give addresses in double quotes, for example "ns=2;s=Line1.Speed" or "3/holding:100:float32", or --tags FILE'
        raise UserError("Nothing was asked for", where=target.label, why="neither an address nor --tags is given", fix=fix)
    name = "standard input" if tags == STDIN else tags or ""
    asked = Asked(tuple(addresses), list_content(tags) if tags else None, name, notation or "")
    drafts_of(target, asked, ANY_NAMESPACE)
    return asked


def drafts_of(target: Target, asked: Asked, namespaces: Sequence[str]) -> list[TagDraft]:
    """The tags, in the order asked for, each address once; an address that is a tag of the project is that tag, with its scale and unit.

    Raises:
        CollectedError: Every address that is none.
    """
    if asked.listed is not None:
        drafts = _listed(target.spec, asked, namespaces)
    elif asked.addresses:
        drafts = _typed(target, asked, namespaces)
    else:
        tags = sorted(target.project.tags_of(target.endpoint.id), key=lambda tag: (tag.name, tag.address))
        drafts = [_as_draft(tag) for tag in tags if tag.access != "w"]
    return list({draft.address: draft for draft in drafts}.values())


def _typed(target: Target, asked: Asked, namespaces: Sequence[str]) -> list[TagDraft]:
    drafts: list[TagDraft] = []
    problems: list[UserError] = []
    for text in asked.addresses:
        try:
            address = target.spec.parse_address(text, namespaces=namespaces, notation=asked.notation)
        except UserError as error:
            problems.append(error)
            continue
        tags = target.project.tags_at(target.endpoint.id, address)
        drafts.append(_as_draft(tags[0]) if tags else _plain(target.spec, address))
    raise_all("Not every address can be used", target.label, problems)
    return drafts


def _listed(spec: Spec, asked: Asked, namespaces: Sequence[str]) -> list[TagDraft]:
    assert asked.listed is not None
    addresses = _plain_addresses(spec, asked, namespaces)
    if addresses is not None:
        return [_plain(spec, address) for address in addresses]
    found = read_list(asked.listed, "", Context(spec, namespaces, asked.notation))
    if found.numbering.is_open:
        raise base_not_known(asked.list_name, found.numbering.why)
    problems = [UserError(one.what, where=f"{asked.list_name}, {one.where}", why=one.why, fix=one.fix) for one in found.problems]
    raise_all("Not every tag of the list can be used", asked.list_name, problems)
    return [row.tag for row in found.rows if row.tag is not None]


def base_not_known(name: str, why: str) -> UserError:
    """What to say of a list that does not tell whether registers are counted from 0 or from 1."""
    fix = 'Say it with "tagloom tags import --base 0" or "--base 1" (--probe shows live values at both), or write addresses as holding:100'
    return UserError("It is not known where counting begins", where=name, why=why, fix=fix)


def _plain_addresses(spec: Spec, asked: Asked, namespaces: Sequence[str]) -> list[str] | None:
    """The addresses of a list with one per line, None where it is a table. Lines that begin with "#" are comments.

    Told by the first line: a table begins with its header or with a name. Tried first, as the identifier of an OPC UA address may
    hold quotation marks and delimiters, which a table takes for its own.
    """
    assert asked.listed is not None
    try:
        text = asked.listed.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, line) for number, line in lines if line and not line.startswith("#")]
    found: list[str] = []
    problems: list[UserError] = []
    for number, line in lines:
        try:
            found.append(spec.parse_address(line, namespaces=namespaces, notation=asked.notation))
        except UserError as error:
            if not found and not problems:
                return None
            problems.append(UserError(error.what, where=f"{asked.list_name}, line {number}: {line}", why=error.why, fix=error.fix))
    raise_all("Not every address of the list can be used", asked.list_name, problems)
    return found or None


def list_content(tags: str) -> bytes:
    """The bytes of a file, or of standard input for "-"."""
    if tags == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(tags).read_bytes()
    except OSError as error:
        raise UserError("Cannot read the list", where=tags, why=error.strerror or str(error), fix="Check the name") from error


def _plain(spec: Spec, address: str) -> TagDraft:
    return TagDraft(address=address, name=spec.short_address(address), type=spec.type_of(address))


def _as_draft(tag: Tag) -> TagDraft:
    return TagDraft(
        address=tag.address, name=tag.name, type=tag.type, path=tag.path, group=tag.group, gain=tag.gain, offset=tag.offset, unit=tag.unit,
        low=tag.low, high=tag.high, enum=tag.enum, access=tag.access, description=tag.description,
    )  # fmt: skip
