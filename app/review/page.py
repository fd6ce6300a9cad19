"""The review page: one HTML file that opens offline in any browser, for people who have neither Tagloom nor the plant.

Names come from plants and are hostile input: every text is escaped, kept apart in its own direction, and stripped of what cannot be
seen; the page's policy (CSP by hash) allows no script and no style but its own, and no connection.
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from app.model.project import Project
from app.projectfile import write
from app.review.page_content import content_of

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What changes a text without being seen: controls, marks that turn the direction of what follows, halves of characters."""


def render_page(project: Project, source: str = "") -> bytes:
    """The page as UTF-8. Same project, same bytes: nothing of the moment is in it.

    Args:
        source: Name of the file that the project was read from; shown, nothing more.
    """
    environment = _environment()
    text = environment.get_template("review.html").render(
        content=content_of(project),
        digest=hashlib.sha256(write(project)).hexdigest(),
        source=source,
        style=Markup(_part("review.css")),  # noqa: S704  our own file
        script=Markup(_part("review.js")),  # noqa: S704  our own file
        policy=_policy(),
    )
    return text.encode("utf-8")


@cache
def _part(name: str) -> str:
    return (files("resources") / "templates" / name).read_text("utf-8").replace("\r\n", "\n")


def _policy() -> str:
    """Content-Security-Policy: nothing but the page's own style and script, by their hashes."""
    return f"default-src 'none'; style-src '{_hash('review.css')}'; script-src '{_hash('review.js')}'; base-uri 'none'; form-action 'none'"


def _hash(name: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(_part(name).encode()).digest()).decode()


@cache
def _environment() -> Environment:
    from jinja2 import FunctionLoader

    environment = Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["t"] = shown
    environment.filters["address"] = breakable
    environment.filters["plain"] = visible
    environment.filters["date"] = lambda text: text.removesuffix("Z").replace("T", " ")[:16]
    return environment


def visible(text: str) -> str:
    """Every character that cannot be seen as its number: ``⟨U+202E⟩``."""
    return _CONTROL.sub(lambda match: f"⟨U+{ord(match[0]):04X}⟩", text)


def shown(text: object) -> Markup:
    """A text of the project: escaped, and its direction kept from the text around it."""
    return Markup("<bdi>{}</bdi>").format(escape(visible(str(text))))


def breakable(text: object) -> Markup:
    """A path or an address: it may be broken behind its separators."""
    parts = re.split(r"(?<=[/;:.])", visible(str(text)))
    return Markup("<bdi>{}</bdi>").format(Markup("<wbr>").join(escape(part) for part in parts))
