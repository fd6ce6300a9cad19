"""Questions that need no endpoint, asked from a command: answers as they come."""

from __future__ import annotations

from collections.abc import Iterator

from app.commands.terminal.progress import working
from app.drivers.base import Wire
from app.drivers.questions import Anywhere, Progress
from app.edits import Editor
from app.edits.projects import new_project
from app.errors import UserError
from app.runtime.live import LiveProject

PUMP_S = 0.05


def answers(question: Anywhere, doing: str) -> Iterator[Wire]:
    """All but the progress, which is shown on a terminal. Ends by itself: the runtime gives every question a time.

    Raises:
        UserError: The answer is one.
    """
    live = LiveProject(Editor(new_project()))
    try:
        with working(f"{doing} …") as update:
            token = live.ask_anywhere(question)
            done = False
            while not done:
                for reply in live.pump().replies:
                    if isinstance(reply.result, UserError):
                        raise reply.result
                    if isinstance(reply.result, Progress):
                        update(f"{doing} … {reply.result.done} of {reply.result.total}")
                    elif isinstance(reply.result, Wire):
                        yield reply.result
                    done = done or (reply.token == token and reply.done)
                if not done:
                    live.idle(PUMP_S)
    finally:
        live.close()
