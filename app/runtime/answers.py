"""What replies of a connector mean: one by one, and the parts of a long answer as a whole. Pure."""

from __future__ import annotations

from app.connector import frames
from app.drivers.base import BrowseColumns
from app.drivers.questions import Question, unpacked_answer
from app.runtime.state import Result


def result_of(frame: frames.Replied, question: type[Question] | None) -> Result | None:
    """What a reply says, None for one that says nothing.

    Raises:
        FrameError: Its answer is none to ``question``.
    """
    if frame.failure is not None:
        return frame.failure.error()
    if frame.answer is not None and question is not None:
        try:
            return unpacked_answer(question, frame.answer)
        except ValueError as error:
            raise frames.FrameError(f"not an answer to {question.__name__}: {error}") from error
    if frame.details is not None:
        return list(frame.details)
    return frame.browse if frame.browse is not None else frame.report


def joined(parts: list[Result]) -> Result:
    """The whole answer of a request that was answered in parts (a crawl); of any other, its only part."""
    pages = [part for part in parts if isinstance(part, BrowseColumns)]
    if len(pages) < 2 or len(pages) != len(parts):
        return parts[-1]
    columns = {
        name: tuple(value for page in pages for value in getattr(page, name))
        for name in ("parent", "id", "name", "browse_name", "path", "node_class", "type", "has_children", "description")
    }
    errors = {node: why for page in pages for node, why in page.errors.items()}
    return BrowseColumns(**columns, errors=errors, resume=pages[-1].resume)
