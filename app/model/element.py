"""The base of everything that stands on one line of a project file."""

from __future__ import annotations

from typing import Annotated

import msgspec

Json = object  # any JSON value: None, bool, int, float, str, list or dict of the same
Natural = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]  # checked when read from a file and when an edit is applied


class Element(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True, tag_field="kind"):
    """One line of the project file.

    The declared order of fields is the order of keys in the file. Fields that hold their default are not written, so a
    default may never change once a release has written files: that needs a migration step.

    Attributes:
        id: Fixed for ever; see ``app.model.ids``.
        extensions: Things an import knew and we do not, keyed by format, kept for re-export. Never interpreted.
    """

    id: str


class Extended(Element, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    extensions: dict[str, Json] = {}
