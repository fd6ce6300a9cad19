"""What reviewers leave in a project: approvals, comments, suppressed findings."""

from __future__ import annotations

from app.model.element import Element


class Approval(Element, frozen=True, kw_only=True, tag="approval"):
    """Somebody approved a mapping or a delivery as it then was.

    Attributes:
        about: Id of the mapping or delivery.
        digest: SHA-256 of its closure at that moment (``app.review.approval``); another digest now means "changed since".
        at: RFC 3339 UTC.
    """

    about: str
    digest: str
    by: str
    at: str
    why: str = ""


class Comment(Element, frozen=True, kw_only=True, tag="comment"):
    about: str
    by: str
    at: str
    text: str
    resolved: bool = False


class Suppression(Element, frozen=True, kw_only=True, tag="suppression"):
    """Findings of one rule about one element are not counted; who said so, and why."""

    about: str
    rule: str
    by: str
    at: str
    why: str
