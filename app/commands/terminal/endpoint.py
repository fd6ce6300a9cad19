"""The ENDPOINT argument: a URL, or a name in a project; and ``NAME=URL`` options."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.commands.terminal.live import ask_missing, known_secrets, live_project
from app.commands.terminal.progress import working
from app.drivers import is_offline, spec_for
from app.drivers.base import EndpointReport, Spec
from app.drivers.snapshot.endpoint import add_endpoint_of
from app.drivers.snapshot.reading import read_header
from app.drivers.snapshot.spec import path_of
from app.edits import Editor
from app.edits.endpoints import add_endpoint
from app.edits.projects import new_project
from app.errors import CollectedError, EndpointError, UserError
from app.model.plant import Endpoint
from app.model.project import Project
from app.projectfile import open_file
from app.runtime.live import LiveProject
from app.secrets import Secrets


@dataclass(slots=True)
class Target:
    """The endpoint that a command speaks to, not connected yet.

    Attributes:
        label: What ``endpoint`` says in output: the name in the project, or the canonical URL.
        in_project: Whether it comes from a project file, whose tags count then.
        secrets: What ``live`` asks for passwords.
    """

    live: LiveProject
    endpoint: Endpoint
    spec: Spec
    label: str
    in_project: bool
    secrets: Secrets

    @property
    def project(self) -> Project:
        return self.live.project

    def connect(self, timeout_s: float) -> EndpointReport:
        """Connect, or say why not at the first failure. A password that is not known is asked for first.

        Raises:
            UserError: Why it could not be connected, or that another device answers than the project knows (code ``identity``).
        """
        if not is_offline(self.live.url_of(self.endpoint.id)):
            ask_missing(self.secrets, self.endpoint)
        with working(f"Connecting to {self.live.url_of(self.endpoint.id)} …"):
            self.live.connect(self.endpoint.id)
            try:
                return self.live.wait_connected(self.endpoint.id, timeout_s, first_attempt=True)
            except EndpointError as error:
                if error.code != "identity":
                    raise
                fix = f'{error.fix}. "tagloom identity" compares, and with --confirm the project takes it from now on'
                raise EndpointError(error.what, where=error.where, why=error.why, fix=fix, code=error.code) from error


@contextmanager
def target(endpoint: str, project: Path | None, overrides: Sequence[str]) -> Iterator[Target]:
    """The endpoint by URL or name; what was opened is closed at the end of the block.

    Raises:
        UserError: It is no URL and no name in the project; the project cannot be read.
    """
    if project is None:
        found, editor, reach = _from_url(endpoint, overrides)
    else:
        editor = Editor(open_file(project).project)
        reach = reach_of(editor.project, overrides)
        found = named(editor.project, endpoint, f"ENDPOINT with --project {project}")
    secrets = known_secrets()
    live = live_project(editor, reach=reach, secrets=secrets)
    try:
        spec = spec_for(live.spoken_url(found.id))
        yield Target(live, found, spec, found.name, in_project=project is not None, secrets=secrets)
    finally:
        live.close()


def _from_url(text: str, overrides: Sequence[str]) -> tuple[Endpoint, Editor, dict[str, str]]:
    if ":" not in text:
        why = "it is not a URL, and no project is given in which an endpoint could have this name"
        fix = 'Write a URL such as "opc.tcp://10.0.4.20:4840", or add --project FILE'
        raise UserError("No such endpoint", where=text, why=why, fix=fix)
    if overrides:
        raise UserError("--endpoint has no use here", where=overrides[0], why="ENDPOINT is a URL itself", fix="Leave one of them out")
    url = spec_for(text).parse_url(text)
    editor = Editor(new_project())
    edit = add_endpoint_of(editor.project, read_header(path_of(url)), url) if is_offline(url) else add_endpoint(editor.project, url, url)
    editor.do(edit)
    (found,) = editor.project.all(Endpoint).values()
    return found, editor, {found.id: url} if is_offline(url) else {}


def named(project: Project, name: str, where: str) -> Endpoint:
    """The endpoint of this name, or of this id.

    Raises:
        UserError: There is none, or more than one; the message names those there are.
    """
    found = [one for one in project.all(Endpoint).values() if name in (one.name, one.id)]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f'"{one.name}"' for one in project.all(Endpoint).values()) or "no endpoint at all"
    why = f'{len(found)} endpoints are called "{name}"' if found else f'the project has no endpoint "{name}"; it has {names}'
    raise UserError("No such endpoint", where=where, why=why, fix="Use its id" if found else "Use one of these names")


def reach_of(project: Project, overrides: Iterable[str]) -> dict[str, str]:
    """Endpoint id → URL, of ``NAME=URL`` options.

    Raises:
        CollectedError: Every one that is wrong.
    """
    reach: dict[str, str] = {}
    problems: list[UserError] = []
    for text in overrides:
        try:
            name, url = name_and_url(text)
            reach[named(project, name, f"--endpoint {text}").id] = url
        except UserError as error:
            problems.append(error)
    raise_all("Cannot use --endpoint", "the command line", problems)
    return reach


def name_and_url(text: str) -> tuple[str, str]:
    """``NAME=URL`` in two, the URL canonical."""
    name, equals, url = text.partition("=")
    if not equals or not name.strip() or not url.strip():
        why = "it is not of the form NAME=URL"
        raise UserError("Not an endpoint", where=text, why=why, fix='For example --endpoint "plc=opc.tcp://10.0.4.20:4840"')
    return name.strip(), spec_for(url.strip()).parse_url(url)


def raise_all(what: str, where: str, problems: Sequence[UserError]) -> None:
    """Nothing for none, the error itself for one, all together for more."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise CollectedError(what, where=where, problems=problems, fix=problems[0].fix)
