"""Making and changing a connection is one edit each; a secret is a reference, never a value."""

from __future__ import annotations

import pytest

from app.edits import Editor
from app.edits.connections import change_connection
from app.edits.endpoints import note_identity
from app.edits.new_endpoint import add_connection
from app.edits.projects import new_project
from app.errors import UserError
from app.model.plant import Endpoint, Identity, Security, Unit

ENCRYPTED = Security(policy="Basic256Sha256", mode="SignAndEncrypt", user="password", name="operator")
URL = "opc.tcp://10.0.0.1:4840"


def made(security: Security = ENCRYPTED, url: str = URL, **more: object) -> tuple[Editor, Endpoint]:
    editor = Editor(new_project())
    editor.do(add_connection(editor.project, "filler", url, security=security, **more))  # type: ignore[arg-type]  # unit, order
    (endpoint,) = editor.project.all(Endpoint).values()
    return editor, endpoint


def changed(editor: Editor, endpoint: Endpoint, **other: object) -> Endpoint:
    fields = {
        "name": endpoint.name, "addresses": endpoint.addresses, "security": endpoint.security, "settings": endpoint.settings,
        "register": endpoint.identity.register, **other,
    }  # fmt: skip
    editor.do(change_connection(editor.project, endpoint.id, **fields))  # type: ignore[arg-type]  # as the function declares them
    return editor.project.all(Endpoint)[endpoint.id]


@pytest.mark.parametrize(
    ("security", "passphrase", "kind"),
    [
        (ENCRYPTED, False, "password"),
        (Security(user="certificate", name="me"), True, "passphrase"),
        (Security(user="certificate", name="me"), False, ""),
        (Security(), True, ""),
    ],
)
def test_that_a_secret_is_a_reference_of_the_new_id_where_the_user_has_one(security: Security, passphrase: bool, kind: str) -> None:
    _, endpoint = made(security, passphrase=passphrase)
    assert endpoint.security.secret == (f"secret://{endpoint.id}/{kind}" if kind else "")


def test_that_an_unusual_byte_order_makes_a_unit_in_the_same_edit_and_undo_takes_both() -> None:
    editor, endpoint = made(Security(), "modbus://10.0.0.1?unit=7", unit=7, order="CDAB")
    assert [(unit.number, unit.order) for unit in editor.project.units_of(endpoint.id)] == [(7, "CDAB")]
    editor.undo()
    assert not editor.project.all(Endpoint)
    assert not editor.project.all(Unit)


def test_that_the_usual_byte_order_makes_no_unit() -> None:
    editor, endpoint = made(Security(), "modbus://10.0.0.1", unit=1, order="ABCD")
    assert not editor.project.units_of(endpoint.id)


def test_that_an_order_that_is_none_is_refused() -> None:
    with pytest.raises(UserError):
        made(Security(), "modbus://10.0.0.1", unit=1, order="ACBD")


def test_that_every_part_changes_in_one_edit_that_undo_takes_back() -> None:
    editor, endpoint = made()
    after = changed(
        editor, endpoint, name="filler 1", addresses={"default": URL, "site": "opc.tcp://10.1.0.1:4840"},
        security=Security(), settings={"timeout_s": 3.0},
    )  # fmt: skip
    assert (after.name, after.settings, after.security) == ("filler 1", {"timeout_s": 3.0}, Security())
    assert after.addresses["site"] == "opc.tcp://10.1.0.1:4840"
    editor.undo()
    assert editor.project.all(Endpoint)[endpoint.id] == endpoint


def test_that_a_reference_named_before_stays_while_the_kind_of_user_does() -> None:
    editor, endpoint = made()
    own = Security(policy="Basic256Sha256", mode="Sign", user="password", name="other", secret="secret://shared/password")
    after = changed(editor, endpoint, security=own)
    assert after.security.secret == endpoint.security.secret
    assert changed(editor, after, security=Security()).security.secret == ""


def test_that_nothing_changed_is_an_edit_without_changes() -> None:
    editor, endpoint = made()
    edit = change_connection(
        editor.project, endpoint.id, name=endpoint.name, addresses=endpoint.addresses, security=endpoint.security, settings={}
    )
    assert not edit.changes


def test_that_another_identity_register_forgets_the_value_of_the_one_before() -> None:
    editor, endpoint = made(Security(), "modbus://10.0.0.1")
    held = changed(editor, endpoint, register="holding:100:uint32")
    editor.do(note_identity(editor.project, endpoint.id, Identity(register="holding:100:uint32", value="4711")))
    held = editor.project.all(Endpoint)[endpoint.id]
    assert changed(editor, held).identity == Identity(register="holding:100:uint32", value="4711")
    assert changed(editor, held, register="holding:200:uint32").identity == Identity(register="holding:200:uint32")


@pytest.mark.parametrize("wrong", [{"name": ""}, {"addresses": {"site": URL}}])
def test_that_a_name_and_a_default_address_are_needed(wrong: dict[str, object]) -> None:
    editor, endpoint = made()
    with pytest.raises(UserError):
        changed(editor, endpoint, **wrong)
