"""``watch`` while the server falls silent, goes away, and comes back as another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.edits import Editor
from app.edits.endpoints import add_endpoint
from app.edits.projects import new_project
from app.edits.tags import TagDraft, add_tags
from app.projectfile import save
from tests.e2e.commandline import Running
from tests.peers.opcua_peer import LINE, opcua_peer

SPEED, PRESSURE = f"{LINE}i=1003", f"{LINE}i=2001"


def project(folder: Path, url: str) -> None:
    editor = Editor(new_project())
    edit = add_endpoint(editor.project, "line", url)
    editor.do(edit)
    drafts = [
        TagDraft(address=SPEED, name="Speed", type="float64", path="Line1/Speed"),
        TagDraft(address=PRESSURE, name="Pressure", type="float64", path="Line1/Pressure"),
    ]
    editor.do(add_tags(editor.project, edit.changes[0].id, drafts))
    save(editor.project, folder / "p.tagloom", None)


def test_that_watch_says_silence_loss_gaps_and_another_variable_as_they_are(tmp_path: Path) -> None:
    with opcua_peer() as peer:
        project(tmp_path, peer.url)
        watch = Running("watch", "line", "--project", "p.tagloom", "--for", "90", "--json", cwd=tmp_path)

        def of(id_: str) -> list[dict[str, Any]]:  # Any: JSON
            return [line for line in watch.lines if line["id"] == id_]

        try:
            watch.until("both are live", lambda: of(SPEED) and of(PRESSURE))
            peer.freeze()
            watch.until("the silence is told", lambda: of(SPEED)[-1]["stale"] and of(PRESSURE)[-1]["stale"])
            assert of(SPEED)[-1]["why"].startswith("no answer for more than")
            peer.thaw()
            watch.until("it is live again", lambda: not of(SPEED)[-1]["stale"] and not of(PRESSURE)[-1]["stale"])
            assert (of(SPEED)[-1]["value"], of(SPEED)[-1]["why"]) == (103.0, None)
            peer.kill()
            watch.until("the loss is told", lambda: of(SPEED)[-1]["stale"] and of(PRESSURE)[-1]["stale"])
            assert of(SPEED)[-1]["why"].startswith("not connected")
            peer.start("--shuffle", "--swap")
            watch.until("it is live again", lambda: not of(SPEED)[-1]["stale"])
            assert of(SPEED)[-1]["value"] == 103.0
            assert "connection" in of(SPEED)[-1]["gap"]
            watch.until("the other variable is told", lambda: "identity changed" in (of(PRESSURE)[-1]["why"] or ""))
            assert (of(PRESSURE)[-1]["value"], of(PRESSURE)[-1]["quality"]) == (None, "bad")
            assert "again, after" in watch.err
        finally:
            peer.thaw()
            watch.close()
