"""Register lists on the command line: what was recognised, what is wrong, what would change; and the change itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.commands.terminal.endpoint import Target, named, raise_all
from app.commands.terminal.failures import FINE, FOUND
from app.commands.terminal.lines import encoded
from app.commands.terminal.live import known_secrets, live_project
from app.commands.terminal.out import put_lines
from app.commands.terminal.progress import note, working
from app.commands.terminal.tables import plain, put_table
from app.commands.terminal.tags import STDIN, base_not_known, list_content
from app.drivers import spec_for
from app.edits import Editor
from app.edits.tags import TagDraft
from app.errors import UserError
from app.model.columns import SampleColumns
from app.model.plant import Endpoint, Group, Tag
from app.model.project import Project
from app.projectfile import open_file, save
from app.taglists import own_csv
from app.taglists.base import Context, TagList, TagRow
from app.taglists.columns import described
from app.taglists.compare import Comparison, compare, edit_of
from app.taglists.corrections import remember
from app.taglists.probing import items_of, telling_rows, verdict
from app.taglists.reading import Source, corrected, interpret, no_addresses, read_source
from app.workspace.workspace import Workspace

READ_S = 30.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person said of the list: as the options of ``tags import``."""

    unit: int | None
    base: int | None
    notation: str
    table: str
    columns: tuple[str, ...]
    sheet: str
    group: str
    update: bool
    remove_gone: bool


class Import:
    """One list for one project.

    Raises:
        UserError: The project or the list cannot be read, there is no such endpoint, column, sheet or group.
    """

    def __init__(self, path: Path, file: str, endpoint: str, wish: Wish) -> None:
        self._path, self._wish = path, wish
        self._name = "" if file == STDIN else file
        self._opened = open_file(path)
        self._editor = Editor(self._opened.project)
        name, self._url = _name_and_url(endpoint, self._editor.project)
        self._endpoint = named(self._editor.project, name, f"--endpoint {endpoint}")
        self._spec = spec_for(self._endpoint.addresses["default"])
        self._group = _group(self._editor.project, wish.group)
        self._source = self._read(list_content(file))
        context = Context(
            self._spec, self._endpoint.namespaces, notation=wish.notation, base=wish.base, unit=wish.unit, table=wish.table
        )  # fmt: skip
        self._list = interpret(self._source, context, self._sheets())

    def _read(self, data: bytes) -> Source:
        """With the columns as recognised, as corrected before, and as said now; what is said now is remembered."""
        workspace = Workspace()
        try:
            source = read_source(data, self._name, memory=workspace)
            if self._wish.columns:
                source = corrected(source, _corrections(self._wish.columns))
                for layout in source.layouts:
                    remember(workspace, layout)
        finally:
            workspace.close()
        return source

    def _sheets(self) -> list[int] | None:
        if not self._wish.sheet:
            return None
        found = [at for at, table in enumerate(self._source.tables) if table.title == self._wish.sheet]
        if not found:
            titles = ", ".join(f'"{table.title}"' for table in self._source.tables)
            raise UserError("No such sheet", where=self._wish.sheet, why=f"the list has {titles}", fix="Use one of these names")
        if self._source.layouts[found[0]].column("address") < 0:
            raise no_addresses(self._source)
        return found

    # What is done

    def run(self, *, dry_run: bool, allow_errors: bool, as_json: bool) -> int:
        """Import, or show what would happen; the exit code."""
        self._tell_columns()
        if self._list.numbering.is_open:
            raise base_not_known(self._name or "standard input", self._list.numbering.why)
        project = self._editor.project
        found = compare(project, self._endpoint.id, self._list.rows, self._list.stated)
        edit = edit_of(project, found, group=self._group, update=self._wish.update, remove_gone=self._wish.remove_gone)
        self._tell_problems()
        if as_json:
            put_lines(encoded(line) for line in _lines(self._list, found))
        elif dry_run:
            _put_rows(self._list, found)
        self._tell_counts(found, dry_run=dry_run)
        if not dry_run and edit.changes:
            self._editor.do(edit)
            save(self._editor.project, self._path, self._opened.fingerprint)
            note(f"{edit.name}: saved {self._path}")
        bad = len(self._list.rows) - len(self._list.good)
        return FOUND if bad and not allow_errors else FINE

    def put_probe(self, timeout_s: float, *, as_json: bool) -> None:
        """Three rows at both bases, and which is plausible.

        Raises:
            UserError: The endpoint is no Modbus one, cannot be reached, or no row is fit for it.
        """
        if self._spec.key != "modbus":
            why = "only register lists have a base"
            raise UserError("Nothing to probe", where=self._endpoint.name, why=why, fix="Leave --probe out")
        self._tell_columns()
        tellings = telling_rows(self._list.good, self._list.numbering)
        if not tellings:
            why = "it has only bits, or no usable row"
            raise UserError(
                "No row of the list is fit to be probed", where=self._name or "standard input", why=why, fix="Say --base yourself"
            )
        secrets = known_secrets()
        live = live_project(self._editor, reach={self._endpoint.id: self._url} if self._url else {}, secrets=secrets)
        try:
            chosen = Target(live, self._endpoint, self._spec, self._endpoint.name, in_project=True, secrets=secrets)
            chosen.connect(timeout_s)
            with working("Reading at base 0 and at base 1 …"):
                columns = live.wait(live.read(self._endpoint.id, items_of(tellings)), READ_S)
        finally:
            live.close()
        assert isinstance(columns, SampleColumns)
        told = verdict(tellings, [sample for _, sample in columns.samples()], self._spec.status_text)
        if as_json:
            put_lines(
                encoded({"name": row.tag.name, "place": row.place, "base_0": zero.text, "base_1": one.text})
                for row, zero, one in told.rows
                if row.tag is not None
            )
        else:
            rows = [(row.place, row.tag.name if row.tag else "", zero.text, one.text) for row, zero, one in told.rows]
            put_table(("row", "name", "base 0", "base 1"), rows)
        note(told.why)

    # What is told, on stderr

    def _tell_columns(self) -> None:
        source = self._source
        note(f"{source.form.title}: {', '.join(table.title or 'one table' for table in source.tables)}")
        for at in source.usable:
            columns = ", ".join(f'"{heading}" is {meaning}' for heading, meaning in described(source.layouts[at]) if meaning != "not used")
            note(f"{source.tables[at].title + ': ' if source.tables[at].title else ''}{columns}")
        if self._list.ignored:
            note(f"Not used: {', '.join(self._list.ignored)}")
        numbering = self._list.numbering
        if self._spec.key == "modbus" and numbering.why:
            words = {"modicon": "Modicon numbers", "hex": "hexadecimal numbers", "plain": "plain numbers"}[numbering.style]
            note(f"Addresses: {words}, " + (f"counted from {numbering.base}: {numbering.why}" if not numbering.is_open else numbering.why))
        for text in self._list.notes:
            note(text)

    def _tell_problems(self) -> None:
        name = self._name or "standard input"
        for problem in self._list.problems:
            note(plain(f"{name}, {problem.where}: {problem.what}: {problem.why}. {problem.fix}"))
        for row in self._list.rows:
            if row.tag is not None and row.marks:
                note(plain(f"{name}, {row.place}: look: {'; '.join(row.marks)}"))

    def _tell_counts(self, found: Comparison, *, dry_run: bool) -> None:
        rows, bad = len(self._list.rows), len(self._list.rows) - len(self._list.good)
        would = "would be" if dry_run else "are"
        note(
            f"{rows:,} rows: {len(found.new):,} {would} added, {len(found.changed):,} {'would be ' if dry_run else ''}changed, "
            f"{len(found.same):,} are there already, {bad:,} have problems"
        )
        for one in self._list.skipped:
            note(plain(f"Skipped {one.place}: {one.why}: {one.text}"))
        for tag in found.gone:
            note(f"Not in the list: {tag.name} ({tag.address})" + ("" if self._wish.remove_gone else "; it stays"))
        for number, order in found.orders:
            note(f"Unit {number} {'would get' if dry_run else 'gets'} the byte order {order}")


def _lines(list_: TagList, found: Comparison) -> Iterable[dict[str, object]]:
    states = _states(found)
    for row in list_.rows:
        state, tag, changes = states.get(_key(row), ("bad", row.tag, ""))
        yield {
            "place": row.place,
            "state": state if row.tag is not None else "bad",
            "name": tag.name if tag else dict(row.cells).get("name", ""),
            "address": tag.address if tag else dict(row.cells).get("address", ""),
            "type": tag.type if tag else "",
            "gain": tag.gain if tag else None,
            "offset": tag.offset if tag else None,
            "unit": tag.unit or None if tag else None,
            "access": tag.access if tag else None,
            "description": tag.description if tag else "",
            "changes": changes,
            "marks": list(row.marks),
            "problems": [f"{problem.where}: {problem.what}: {problem.why}" for problem in row.problems],
        }


def _states(found: Comparison) -> dict[str, tuple[str, TagDraft, str]]:
    """Place and name of a row → state, the tag as it would go in, and what changes."""
    states: dict[str, tuple[str, TagDraft, str]] = {}
    parts: list[tuple[str, Sequence[TagRow]]] = [("new", found.new), ("same", found.same)]
    for state, rows in parts:
        states |= {_key(row): (state, row.tag, "") for row in rows if row.tag is not None}
    return states | {
        one.row.place + "\0" + one.row.tag.name: ("changed", one.row.tag, one.text) for one in found.changed if one.row.tag is not None
    }


def _key(row: TagRow) -> str:
    """What a row is called before and after the orders of units were settled."""
    return f"{row.place}\0{row.tag.name if row.tag else ''}"


def _put_rows(list_: TagList, found: Comparison) -> None:
    rows = [
        (str(line["state"]), str(line["place"]), str(line["name"]), str(line["address"]), str(line["unit"] or ""), str(line["changes"]))
        for line in _lines(list_, found)
    ]
    put_table(("state", "place", "name", "address", "unit", "change"), rows)


def put_tags(path: Path, endpoint: str, *, as_csv: bool, as_json: bool) -> None:
    """The tags of a project, or of one endpoint of it, by endpoint and name.

    Raises:
        UserError: The project cannot be read, or has no such endpoint.
    """
    project = open_file(path).project
    names = {one.id: one.name for one in project.all(Endpoint).values()}
    only = named(project, endpoint, f"--endpoint {endpoint}").id if endpoint else ""
    tags = sorted(
        project.tags_of(only) if only else project.all(Tag).values(), key=lambda tag: (names.get(tag.endpoint, ""), tag.name, tag.address)
    )
    if as_csv:
        put_lines(own_csv.write(tags).decode("utf-8-sig").removesuffix("\r\n").split("\r\n"))
    elif as_json:
        fields = ("name", "address", "type", "gain", "offset", "unit", "low", "high", "access", "description")
        lines = ({"endpoint": names.get(tag.endpoint), **{field: _known(getattr(tag, field)) for field in fields}} for tag in tags)
        put_lines(encoded(line) for line in lines)
    else:
        put_table(
            ("endpoint", "name", "address", "type", "unit", "access"),
            [(names.get(tag.endpoint, tag.endpoint), tag.name, tag.address, tag.type, tag.unit, tag.access) for tag in tags],
        )


def _corrections(columns: Sequence[str]) -> dict[str, str]:
    """``MEANING=COLUMN`` options; all that are none are told at once."""
    found: dict[str, str] = {}
    problems: list[UserError] = []
    for text in columns:
        meaning, equals, column = text.partition("=")
        if not equals:
            problems.append(
                UserError("Not a column", where=text, why="it is not of the form MEANING=COLUMN", fix='For example --column "address=Reg"')
            )
        found[meaning.strip()] = column.strip()
    raise_all("Cannot use --column", "the command line", problems)
    return found


def _name_and_url(text: str, project: Project) -> tuple[str, str]:
    """``NAME`` or ``NAME=URL``; a name that holds "=" itself is one where the project has it."""
    if any(text in (one.name, one.id) for one in project.all(Endpoint).values()):
        return text, ""
    name, _, url = text.partition("=")
    return name.strip(), spec_for(url.strip()).parse_url(url.strip()) if url.strip() else ""


def _group(project: Project, name: str) -> str:
    if not name:
        return ""
    groups = {group.name: group.id for group in project.all(Group).values()}
    if name not in groups:
        names = ", ".join(f'"{one}"' for one in groups) or "no group at all"
        raise UserError("No such group", where=f"--group {name}", why=f"the project has {names}", fix="Use one of these names")
    return groups[name]


def _known(value: object) -> object:
    """A text that says nothing is null."""
    return None if value == "" else value
