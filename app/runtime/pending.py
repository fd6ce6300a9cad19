"""What one connector was asked and has not answered yet. On the I/O thread."""

from __future__ import annotations

from collections.abc import Callable

from app.connector.frames import FrameError, Replied
from app.drivers.questions import Question
from app.errors import EndpointError, UserError
from app.model.columns import SampleColumns
from app.runtime.answers import result_of
from app.runtime.state import Reply


class Pending:
    """``put`` takes what the owner is told."""

    def __init__(self, put: Callable[[Reply], None]) -> None:
        self._put = put
        self._questions: dict[int, type[Question] | None] = {}

    def begin(self, token: int, question: type[Question] | None) -> None:
        """``question`` says what its answers are, where that is not in the frames."""
        self._questions[token] = question

    def cancel(self, token: int) -> bool:
        """Nothing is told of it any more; whether it was not answered yet."""
        if token not in self._questions:
            return False
        del self._questions[token]
        return True

    def reply(self, frame: Replied, columns: SampleColumns | None) -> Reply | None:
        """What a frame answers; None where nobody waits for it.

        Raises:
            FrameError: It is no answer to what was asked.
        """
        if frame.token not in self._questions:
            return None
        result = columns if columns is not None else result_of(frame, self._questions[frame.token])
        if result is None:
            raise FrameError("a reply with no result")
        if frame.done:
            del self._questions[frame.token]
        return Reply(frame.token, result, frame.done)

    def refuse(self, token: int, why: UserError) -> None:
        """It is not asked, or not any more."""
        self._questions.pop(token, None)
        self._put(Reply(token, why, done=True))

    def refuse_all(self, where: str, why: str) -> None:
        for token in sorted(self._questions):
            self.refuse(token, EndpointError("The request was not answered", where=where, why=why, fix="Try again when it is connected"))
