from __future__ import annotations

import pytest

from app.drivers.base import Wire
from app.drivers.opcua.questions import (
    QUESTIONS,
    FoundNode,
    FoundNodes,
    Line,
    NodeContents,
    Place,
    Places,
    Reference,
    ReferencePage,
    References,
    Resolve,
    Signature,
    Step,
)
from app.drivers.questions import Question, packed, packed_answer, questions, unpacked, unpacked_answer

ANSWERS: list[Wire] = [
    ReferencePage(references=(Reference(type="t", type_name="Organizes", target="x", name="X"),)),
    Signature(executable=False),
    Places(places=(Place(asked="x", id="x", way=(Step(id="x", name="X"),)),)),
    NodeContents(value=(Line(level=1, name="A", text="1", type="int16"),)),
    FoundNodes(nodes=(FoundNode(id="x", name="X", path="X", node_class="object"),)),
]


def test_that_every_question_is_found_by_its_tag() -> None:
    assert {kind.__struct_config__.tag for kind in QUESTIONS} <= questions().keys()


@pytest.mark.parametrize("question", [References(node="nsu=urn:x;s=a"), Resolve(texts=("a", "b"))])
def test_that_a_question_crosses_the_pipe_unchanged(question: Question) -> None:
    assert unpacked(*packed(question)) == question


@pytest.mark.parametrize(("kind", "answer"), list(zip(QUESTIONS, ANSWERS, strict=True)))
def test_that_an_answer_crosses_the_pipe_unchanged_and_another_is_refused(kind: type[Question], answer: Wire) -> None:
    assert unpacked_answer(kind, packed_answer(answer)) == answer
    with pytest.raises(ValueError, match="Expected"):
        unpacked_answer(kind, b"\x93\x01\x02\x03")
