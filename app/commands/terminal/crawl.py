"""Everything below a node, page by page as it comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from app.commands.terminal.endpoint import Target
from app.commands.terminal.progress import note, working
from app.drivers.base import BrowseColumns
from app.errors import EndpointError, UserError

SILENCE_S: Final = 60.0
"""So long the next page may take: a level of a large address space is asked for in many requests."""
PUMP_S: Final = 0.05


def pages(chosen: Target, root: str, limit: int) -> Iterator[BrowseColumns]:
    """Pages of a crawl below ``root`` ("" is everything). Nodes that could not be browsed are told on stderr.

    Raises:
        UserError: The root cannot be browsed, or the connection was lost.
    """
    ids: list[str] = [root or "Objects"]
    with working("Browsing …") as update:
        for page in _replies(chosen, root, limit):
            if len(ids) == 1 and not len(page) and 0 in page.errors:
                raise EndpointError("Cannot browse", where=ids[0], why=page.errors[0], fix="Check the node id")
            ids.extend(page.id)
            for place, why in page.errors.items():
                note(f"Not browsed: {ids[place]}: {why}")
            update(f"Browsing … {len(ids) - 1:,} nodes")
            yield page
    if len(ids) > limit:
        note(f"Stopped at {limit:,} nodes, there may be more.")


def _replies(chosen: Target, root: str, limit: int) -> Iterator[BrowseColumns]:
    live = chosen.live
    token = live.crawl(chosen.endpoint.id, root, limit)
    idle_s = 0.0
    while True:
        replies = [reply for reply in live.pump().replies if reply.token == token]
        for reply in replies:
            if isinstance(reply.result, UserError):
                raise reply.result
            assert isinstance(reply.result, BrowseColumns)
            yield reply.result
            if reply.done:
                return
        idle_s = 0.0 if replies else idle_s + PUMP_S
        if idle_s > SILENCE_S:
            why = f"nothing came for {SILENCE_S:g} s"
            raise EndpointError("No answer", where=chosen.label, why=why, fix="Browse a smaller part with --under")
        live.idle(PUMP_S)
