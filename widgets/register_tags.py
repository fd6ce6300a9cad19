"""From registers that were looked at to tags of the project: one edit, as from nodes of an address space."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from app.drivers.modbus.scan_edits import word_drafts
from app.edits.tags import add_tags
from widgets.node_tags import with_namespaces
from widgets.workbench import Workbench


def tags_from_words(workbench: Workbench, endpoint: str, addresses: Sequence[str], on_tags: Callable[[list[str]], object]) -> None:
    """Make tags of canonical addresses; ``on_tags`` gets the tag ids, also of those that existed."""
    project = workbench.project
    drafts = word_drafts(project, endpoint, addresses)
    if drafts and not workbench.attempt(lambda: with_namespaces(workbench, endpoint, add_tags(project, endpoint, drafts))):
        return
    on_tags([workbench.project.tags_at(endpoint, address)[0].id for address in addresses])
