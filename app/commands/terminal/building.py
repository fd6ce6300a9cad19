"""Making a project from endpoints, tag lists and what servers offer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import Final

from app.commands.terminal.crawl import pages
from app.commands.terminal.endpoint import Target, name_and_url, raise_all
from app.commands.terminal.live import known_secrets, live_project
from app.commands.terminal.progress import note, working
from app.commands.terminal.tags import ANY_NAMESPACE, STDIN, base_not_known, list_content
from app.drivers import spec_for
from app.drivers.base import NodeDetails
from app.edits import Editor
from app.edits.endpoints import add_endpoint, note_answer
from app.edits.projects import new_project
from app.edits.tags import TagDraft, add_tags
from app.errors import UserError
from app.model.plant import Endpoint
from app.projectfile import save
from app.taglists.base import Context, edit_from_rows
from app.taglists.reading import read_list

SUFFIX: Final = ".tagloom"
DETAILS_AT_ONCE: Final = 500
DETAILS_S: Final = 60.0


class Builder:
    """A new project, not saved until ``save``.

    Raises:
        UserError: The file is there already, or an endpoint is none.
    """

    def __init__(self, path: Path, endpoints: Sequence[str], notation: str) -> None:
        self.path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        self._notation = notation
        self._refuse_existing()
        self.editor = Editor(new_project(self.path.stem))
        problems: list[UserError] = []
        for text in endpoints:
            try:
                self.editor.do(add_endpoint(self.editor.project, *name_and_url(text)))
            except UserError as error:
                problems.append(error)
        raise_all("Not every endpoint can be used", "the command line", problems)
        ids = {endpoint.name: endpoint for endpoint in self.editor.project.all(Endpoint).values()}
        self._endpoints = [ids[name_and_url(text)[0]] for text in endpoints]

    def add_lists(self, lists: Sequence[str]) -> None:
        """Tags of ``[NAME=]FILE`` options.

        Raises:
            UserError: A list cannot be read, or rows of it are bad: all of them are named.
        """
        problems: list[UserError] = []
        for text in lists:
            endpoint, name = self._split(text)
            spec = spec_for(endpoint.addresses["default"])
            found = read_list(list_content(name), "" if name == STDIN else name, Context(spec, endpoint.namespaces, self._notation))
            if found.numbering.is_open:
                problems.append(base_not_known(name, found.numbering.why))
                continue
            problems += [UserError(one.what, where=f"{name}, {one.where}", why=one.why, fix=one.fix) for one in found.problems]
            if found.ignored:
                note(f"{name}: columns that mean nothing here: {', '.join(found.ignored)}")
            self.editor.do(edit_from_rows(self.editor.project, endpoint.id, found.good))
        raise_all("Not every tag of the lists can be used", str(self.path), problems)

    def add_browsed(self, roots: Sequence[str], limit: int, timeout_s: float) -> None:
        """Every variable below ``[NAME=]NODE`` options, as the server describes it.

        Raises:
            UserError: A server cannot be reached, or has no such node, or no variable below it.
        """
        wanted = [self._split(text) for text in roots]
        for endpoint, node in wanted:
            spec = spec_for(endpoint.addresses["default"])
            spec.parse_address(node, namespaces=ANY_NAMESPACE)  # its form, before anything is connected
        if not wanted:
            return
        secrets = known_secrets()
        live = live_project(self.editor, secrets=secrets)
        try:
            for endpoint, node in wanted:
                spec = spec_for(endpoint.addresses["default"])
                self._add_below(Target(live, endpoint, spec, endpoint.name, in_project=True, secrets=secrets), node, limit, timeout_s)
        finally:
            live.close()

    def save(self) -> None:
        """Raises ``UserError`` when it cannot be written, or a file of this name has come to be meanwhile."""
        self._refuse_existing()
        save(self.editor.project, self.path, None)
        project = self.editor.project
        for endpoint in self._endpoints:
            note(f"{endpoint.name}: {endpoint.addresses['default']}, {len(project.tags_of(endpoint.id)):,} tags")

    def _add_below(self, chosen: Target, node: str, limit: int, timeout_s: float) -> None:
        report = chosen.connect(timeout_s)
        noted = note_answer(self.editor.project, chosen.endpoint.id, namespaces=report.namespaces, identity=report.identity)
        self.editor.do(noted)
        root = chosen.spec.parse_address(node, namespaces=report.namespaces)
        found: list[str] = []
        for page in pages(chosen, root, limit):
            # Only of methods and properties is it known that nothing is below them (BrowseColumns.has_children).
            found += [page.id[row] for row in range(len(page)) if page.node_class[row] == "variable" and page.has_children[row]]
        if not found:
            fix = 'See what there is with "tagloom browse"'
            raise UserError("No tags found", where=node, why="no variable is below this node", fix=fix)
        known = {tag.address for tag in self.editor.project.tags_of(chosen.endpoint.id)}
        fresh = [id_ for id_ in dict.fromkeys(found) if id_ not in known]
        drafts = drafts_of(self._details(chosen, fresh))
        self.editor.do(add_tags(self.editor.project, chosen.endpoint.id, drafts))

    def _details(self, chosen: Target, nodes: Sequence[str]) -> list[NodeDetails]:
        found: list[NodeDetails] = []
        with working("Asking for types, units and ranges …") as update:
            for start in range(0, len(nodes), DETAILS_AT_ONCE):
                token = chosen.live.details(chosen.endpoint.id, nodes[start : start + DETAILS_AT_ONCE])
                answer = chosen.live.wait(token, DETAILS_S)
                assert isinstance(answer, list)
                found += answer
                update(f"Asking for types, units and ranges … {len(found):,} of {len(nodes):,}")
        for details in found:
            if details.error:
                note(f"Left out: {details.id}: {details.error}")
        return [details for details in found if not details.error]

    def _split(self, text: str) -> tuple[Endpoint, str]:
        """``NAME=REST`` of one of the endpoints; any other text is wholly of the first. Node ids hold "=" themselves."""
        name, equals, rest = text.partition("=")
        for endpoint in self._endpoints:
            if equals and name == endpoint.name:
                return endpoint, rest
        return self._endpoints[0], text

    def _refuse_existing(self) -> None:
        if self.path.exists():
            raise UserError("Not made", where=str(self.path), why="there is a file of this name already", fix="Choose another name")


def drafts_of(nodes: Sequence[NodeDetails]) -> list[TagDraft]:
    """Tags as the server describes the variables.

    Names are those of the variables, or where two are equal, their paths below what all have in common: ``Filler1/Motor/Speed``.
    """
    repeated = Counter(node.name for node in nodes)
    paths = [_names(node.path) for node in nodes]
    levels = zip(*(path[:-1] for path in paths), strict=False)
    shared = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, levels))
    return [
        _draft(node, node.name if repeated[node.name] == 1 else "/".join(path[shared:])) for node, path in zip(nodes, paths, strict=True)
    ]


def _names(path: str) -> list[str]:
    """The names of a browse path, which marks reserved letters inside a name with "&" (OPC 10000-4 Annex A.2)."""
    return [re.sub("&(.)", r"\1", name) for name in re.split(r"(?<!&)/", path)]


def _draft(node: NodeDetails, name: str) -> TagDraft:
    return TagDraft(
        address=node.id,
        name=name or node.id,
        type=node.type,
        path=node.path,
        unit=node.unit,
        low=node.low,
        high=node.high,
        enum=dict(node.enum),
        access="rw" if node.access == "rw" else "w" if node.access == "w" else "r",
        description=node.description,
    )
