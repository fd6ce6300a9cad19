"""Questions that only one driver understands, and how they cross the pipe. Imports no protocol library.

A driver states its questions in ``questions.py`` of its folder, which ends in ``QUESTIONS``; nothing lists them elsewhere. One that needs
a connection is answered by ``Session.ask``; an ``Anywhere`` by the function ``answer(question)`` of the module it names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar

import msgspec

from app.drivers import specs
from app.drivers.base import Wire
from app.errors import EndpointError


class Question(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base. The tag is ``<driver>.<name>``.

    Attributes:
        ANSWERS: The struct, or union of tagged structs, that comes back: once, or several times where it takes long.
    """

    ANSWERS: ClassVar[Any]  # a type or a union of types, which has no common type of its own


class Anywhere(Question, frozen=True, kw_only=True):
    """A question that needs no connection. It is answered in a connector process of its own.

    Attributes:
        ANSWERED_BY: Module with ``def answer(question) -> AsyncIterator[Wire]``; imported in the connector process only.
        timeout_s: After which the process is ended.
    """

    ANSWERED_BY: ClassVar[str]
    timeout_s: float = 30.0


class Progress(Wire, frozen=True, kw_only=True, tag="progress"):
    """How far a long answer is: a member of ``ANSWERS`` wherever it may take more than a second."""

    done: int
    total: int
    text: str = ""


@cache
def questions() -> dict[str, type[Question]]:
    """Every question by its tag."""
    modules = ["app.drivers.probe_questions", *(f"app.drivers.{key}.questions" for key in specs())]
    found = (import_module(module).QUESTIONS for module in modules if find_spec(module) is not None)
    return {str(kind.__struct_config__.tag): kind for kinds in found for kind in kinds}


def packed(question: Question) -> tuple[str, bytes]:
    """Its tag and its body for the pipe."""
    return str(type(question).__struct_config__.tag), msgspec.msgpack.encode(question)


def unpacked(kind: str, body: bytes) -> Question:
    """The question of a tag.

    Raises:
        EndpointError: There is none with this tag, or the body is not of it.
    """
    found = questions().get(kind)
    if found is None:
        raise EndpointError("Cannot ask that", where=kind, why="no driver has this question")
    try:
        question: Question = _decoder(found).decode(body)
    except msgspec.MsgspecError as error:
        raise EndpointError("Cannot ask that", where=kind, why=str(error)) from error
    return question


def packed_answer(answer: Wire) -> bytes:
    return msgspec.msgpack.encode(answer)


def unpacked_answer(question: type[Question], body: bytes) -> Wire:
    """An answer, checked against what the question's ``ANSWERS`` says; a connector is not trusted.

    Raises:
        ValueError: It is not one of these (msgspec's own errors are ValueErrors), or is nested too deeply.
    """
    try:
        answer: Wire = _decoder(question.ANSWERS).decode(body)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return answer


async def unanswered(question: Question) -> AsyncIterator[Wire]:
    """What a driver gives for a question it does not know."""
    nothing: tuple[Wire, ...] = ()
    for answer in nothing:
        yield answer
    kind = str(type(question).__struct_config__.tag)
    raise EndpointError("Cannot ask that here", where=kind, why="this kind of endpoint does not know it")


def answer_anywhere(question: Anywhere) -> AsyncIterator[Wire]:
    """Connector processes only."""
    answers: AsyncIterator[Wire] = import_module(type(question).ANSWERED_BY).answer(question)
    return answers


@cache
def _decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:  # of any struct or union of structs
    return msgspec.msgpack.Decoder(kind)
