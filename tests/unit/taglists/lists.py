"""Lists of a few lines for tests: read for a Modbus endpoint, every tag or every problem."""

from __future__ import annotations

from app.drivers import specs
from app.edits.tags import TagDraft
from app.taglists.base import Context, TagList
from app.taglists.reading import read_list

MODBUS = Context(specs()["modbus"])
OPCUA = Context(specs()["opcua"], ("http://opcfoundation.org/UA/", "urn:plant"))


def modbus(base: int | None = None, unit: int | None = None, notation: str = "", table: str = "holding") -> Context:
    return Context(specs()["modbus"], base=base, unit=unit, notation=notation, table=table)


def read_text(text: str, context: Context = MODBUS) -> TagList:
    return read_list(text.encode(), "", context)


def tags(found: TagList) -> list[TagDraft]:
    """Of a list without a single problem."""
    assert [str(problem) for problem in found.problems] == []
    return [row.tag for row in found.rows if row.tag is not None]


def addresses(found: TagList) -> list[str]:
    return [tag.address for tag in tags(found)]
