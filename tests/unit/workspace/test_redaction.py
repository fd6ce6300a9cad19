import getpass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.workspace import redaction
from app.workspace.redaction import Pseudonyms, never_show, redact


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", set())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("opc.tcp://ada:hunter2@plc:4840/x", "opc.tcp://[hidden]@plc:4840/x"),
        ("modbus://hunter2@plc failed", "modbus://[hidden]@plc failed"),
        ('{"password": "hunter2", "x": 1}', '{"password": "[hidden]", "x": 1}'),
        ("password=hunter2, retry", "password=[hidden], retry"),
        ("{'client_secret': 'hunter2'}", "{'client_secret': '[hidden]'}"),
        ("API_KEY: hunter2", "API_KEY: [hidden]"),
        ('"secret":"secret://filler/password"', '"secret":"secret://filler/password"'),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----\nnext", "[hidden]\nnext"),
        ("-----BEGIN PRIVATE KEY-----\nhunter2", "[hidden]"),
        ("read 3 tags of opc.tcp://plc:4840", "read 3 tags of opc.tcp://plc:4840"),
    ],
)
def test_that_secrets_are_hidden_and_nothing_else(text: str, expected: str) -> None:
    assert redact(text) == expected


@given(st.text(), st.text(min_size=4), st.text())
def test_that_a_known_secret_is_hidden_wherever_it_stands(before: str, secret: str, after: str) -> None:
    never_show(secret)
    assert secret not in redact(before + secret + after) or secret in redaction.HIDDEN


def test_that_hosts_and_people_have_the_same_other_name_everywhere() -> None:
    others = Pseudonyms()
    others.name("Ada Lovelace", "person")
    first = others.apply(f"opc.tcp://filler-plc:4840 and 10.1.2.3, said Ada Lovelace ({getpass.getuser()})")
    assert others.apply("FILLER-PLC answers at 10.1.2.3") == "host-1 answers at host-2"
    for original in ("filler-plc", "10.1.2.3", "Ada"):
        assert original not in first
    assert others.apply("opc.tcp://127.0.0.1:4840 on localhost") == "opc.tcp://127.0.0.1:4840 on localhost"


def test_that_a_word_that_only_contains_a_name_stays() -> None:
    others = Pseudonyms()
    others.name("fill", "host")
    assert others.apply("fillFlow of fill") == "fillFlow of host-1"
