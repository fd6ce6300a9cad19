"""From nodes of an address space to tags of the project: asks the source for type, unit and range, then makes one edit.

Every way in (drag, menu, key, drop on a plot or an attribute) comes here, so that tags are the same however they were made.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

from app.drivers.base import BrowseColumns, NodeDetails
from app.edits import Edit
from app.edits.endpoints import note_answer
from app.edits.tags import TagDraft, add_tags
from app.errors import UserError
from app.runtime.state import Reply
from widgets.workbench import Workbench

BELOW_LIMIT = 5000
"""Variables taken below one object; more than that is meant for an import, not for a drag."""

OnTags = Callable[[list[str]], None]
OnDetails = Callable[[list[NodeDetails]], None]


def tags_from_nodes(workbench: Workbench, endpoint: str, ids: Sequence[str], on_tags: OnTags = lambda _: None) -> None:
    """Make tags of variables, and of the variables below objects; ``on_tags`` gets the tag ids, also of those that existed.

    Returns at once; what goes wrong is shown in the window.
    """

    def made(details: list[NodeDetails]) -> None:
        project = workbench.project
        fresh = [node for node in details if not project.tags_at(endpoint, node.id)]
        if fresh:
            drafts = [draft_of(node, name) for node, name in zip(fresh, distinct_names(fresh), strict=True)]
            if not workbench.attempt(lambda: with_namespaces(workbench, endpoint, add_tags(project, endpoint, drafts))):
                return
        found = [project.tags_at(endpoint, node.id) for node in details]
        on_tags([tags[0].id for tags in found if tags])

    variables_of(workbench, endpoint, ids, made)


def with_namespaces(workbench: Workbench, endpoint: str, edit: Edit) -> Edit:
    """The edit, and in it what the project does not know yet of who answers; nothing of a device that is not the one of the project.

    The order in which the server lists its namespaces: gateways that know them by index only cannot be configured without it. And with
    the first tags, what tells this device from another one: from then on no other one's values come under them.
    """
    held, state = workbench.endpoint(endpoint), workbench.live.state(endpoint)
    if held is None or state.report is None or state.held:
        return edit
    identity = None if workbench.project.tags_of(endpoint) else state.report.identity
    return edit.then(note_answer(workbench.project, endpoint, namespaces=state.report.namespaces, identity=identity))


def variables_of(workbench: Workbench, endpoint: str, ids: Sequence[str], on_details: OnDetails) -> None:
    """Details of these variables, and of every variable below those that are objects."""

    def on_reply(reply: Reply) -> None:
        if isinstance(reply.result, UserError):
            workbench.failed.emit(reply.result)
            return
        assert isinstance(reply.result, list)
        variables = [node for node in reply.result if _is_variable(node)]
        objects = [node.id for node in reply.result if not _is_variable(node) and not node.error]
        errors = [node for node in reply.result if node.error]
        if errors:
            workbench.failed.emit(
                UserError("Not every node could be used", where=errors[0].id, why=errors[0].error, fix="Refresh the address space")
            )
        if objects:
            _below(workbench, endpoint, objects, lambda more: on_details(_once([*variables, *more])))
        elif variables:
            on_details(_once(variables))

    workbench.ask(workbench.live.details(endpoint, list(ids)), on_reply)


def _below(workbench: Workbench, endpoint: str, objects: list[str], on_details: OnDetails) -> None:
    """Crawl one object after the other, then ask for the details of all variables found."""
    found: list[str] = []

    def crawl(rest: list[str]) -> None:
        if not rest or len(found) >= BELOW_LIMIT:
            ask()
            return
        workbench.ask(workbench.live.crawl(endpoint, rest[0], BELOW_LIMIT), lambda reply: on_rows(reply, rest))

    def on_rows(reply: Reply, rest: list[str]) -> None:
        if isinstance(reply.result, UserError):
            workbench.failed.emit(reply.result)
            return
        assert isinstance(reply.result, BrowseColumns)
        columns = reply.result
        found.extend(columns.id[row] for row in range(len(columns)) if columns.is_data(row))
        if reply.done:
            crawl(rest[1:])

    def ask() -> None:
        if not found:
            why = "no variable is below it"
            workbench.failed.emit(UserError("No tags made", where=objects[0], why=why, fix="Select variables, or an object that has some"))
            return
        workbench.ask(workbench.live.details(endpoint, found[:BELOW_LIMIT]), on_details_reply)

    def on_details_reply(reply: Reply) -> None:
        if isinstance(reply.result, UserError):
            workbench.failed.emit(reply.result)
            return
        assert isinstance(reply.result, list)
        on_details([node for node in reply.result if _is_variable(node)])

    crawl(objects)


def _is_variable(node: NodeDetails) -> bool:
    return node.node_class == "variable" and not node.error


def _once(nodes: list[NodeDetails]) -> list[NodeDetails]:
    return list({node.id: node for node in nodes}.values())


def distinct_names(nodes: Sequence[NodeDetails]) -> list[str]:
    """The name of each node; where several share one, with as much of the path in front as tells them apart: ``Valve01/FillTime``."""
    names = [node.name or node.id for node in nodes]
    for depth in range(2, 8):
        seen = Counter(names)
        if max(seen.values(), default=1) == 1:
            break
        names = [_tail(node, depth) if seen[name] > 1 else name for node, name in zip(nodes, names, strict=True)]
    return names


def _tail(node: NodeDetails, depth: int) -> str:
    parts = re.split(r"(?<!&)/", node.path)[-depth:] if node.path else [node.name or node.id]
    return "/".join(re.sub(r"&(.)", r"\1", part) for part in parts)


def draft_of(node: NodeDetails, name: str) -> TagDraft:
    return TagDraft(
        address=node.id,
        name=name,
        type=node.type,
        path=node.path,
        unit=node.unit,
        low=node.low,
        high=node.high,
        enum=dict(node.enum),
        access="rw" if node.access == "rw" else "r",
        description=node.description,
    )
