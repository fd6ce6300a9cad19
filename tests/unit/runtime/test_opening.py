"""What an attempt is made with, and which failures only a person can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app.edits.edit import replace, with_fields
from app.errors import EndpointError, UserError
from app.model.plant import Endpoint, Security, Unit
from app.runtime.opening import secret_reference
from app.runtime.patience import BACK_OFF_S, POLITE_S, LinkLimits
from tests.unit.runtime.conftest import Bench, endpoint

Make = Callable[..., Bench]
USER = Security(user="password", name="op")


def attempts(file: Path) -> list[str]:
    return file.read_text("utf-8").splitlines() if file.exists() else []


def answered(one: Bench, seconds: float) -> None:
    """Pump for a while: nothing is waited for, as nothing may happen."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        one.pump()
        one.live.idle(0.02)


def test_that_a_secret_is_named_by_the_project_or_by_the_endpoint() -> None:
    assert secret_reference(endpoint()) == ""
    assert secret_reference(endpoint(security=USER)) == "secret://e/password"
    assert secret_reference(endpoint(security=Security(user="certificate", name="op"))) == ""
    named = Security(user="certificate", name="op", secret="secret://other/passphrase")
    assert secret_reference(endpoint(security=named)) == "secret://other/passphrase"


def test_that_a_secret_is_asked_for_anew_with_every_attempt_and_never_kept(bench: Make) -> None:
    known = {"secret://e/password": "wrong-canary"}
    one = bench(endpoint(security=USER, settings={"secret": "right"}), secrets=known.get)
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    assert getattr(one.live.state("e").why, "code", "") == "user"
    known["secret://e/password"] = "right-canary"
    one.connect()
    link = one.live._connections.endpoints["e"].link
    assert "canary" not in repr(vars(link))


def test_that_a_keyring_that_takes_its_time_does_not_hold_up_the_owner(bench: Make) -> None:
    asked, answer = threading.Event(), threading.Event()

    def slow(_: str) -> str | None:
        asked.set()
        answer.wait(20)
        return "x"

    one = bench(endpoint(security=USER), secrets=slow)
    begun = time.monotonic()
    one.live.connect("e")
    one.pump()
    assert time.monotonic() - begun < 1
    assert one.live.state("e").phase == "connecting"
    one.until(asked.is_set)
    answer.set()
    one.until(lambda: one.live.state("e").phase == "connected")


def test_that_closing_does_not_wait_for_a_keyring(bench: Make) -> None:
    asked, answer = threading.Event(), threading.Event()

    def never(_: str) -> str | None:
        asked.set()
        answer.wait(20)
        return None

    one = bench(endpoint(security=USER), secrets=never)
    one.live.connect("e")
    one.until(asked.is_set)
    begun = time.monotonic()
    one.live.close()
    assert time.monotonic() - begun < 3
    answer.set()


def test_that_a_resolver_that_fails_stops_with_its_reason(bench: Make) -> None:
    def broken(_: str) -> str | None:
        raise UserError("Cannot read the secret", where="/run/secrets/x", why="permission denied")

    one = bench(endpoint(security=USER), secrets=broken)
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    why = one.live.state("e").why
    assert why is not None
    assert why.why == "permission denied"


@pytest.mark.parametrize("code", ["user", "certificate"])
def test_that_a_refusal_that_only_a_person_can_end_is_not_tried_again(bench: Make, tmp_path: Path, code: str) -> None:
    file = tmp_path / "attempts"
    one = bench(endpoint(settings={"open": code, "attempts_in": str(file)}))
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    answered(one, 1.0)
    assert len(attempts(file)) == 1
    assert isinstance(one.live.state("e").why, EndpointError)
    one.live.retry("rejected", "secret")
    answered(one, 0.3)
    assert len(attempts(file)) == 1
    one.live.retry(code)
    one.until(lambda: len(attempts(file)) == 2)
    one.until(lambda: one.live.state("e").phase == "stopped")


def test_that_a_connector_which_dies_meanwhile_is_no_reason_to_try_a_password_again(bench: Make, tmp_path: Path) -> None:
    file = tmp_path / "attempts"
    one = bench(endpoint(settings={"open": "user", "attempts_in": str(file)}))
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    link = one.live._connections.endpoints["e"].link
    assert link is not None
    assert link._process is not None
    psutil.Process(link._process.pid).kill()
    answered(one, 1.0)
    state = one.live.state("e")
    assert (state.phase, getattr(state.why, "code", ""), len(attempts(file))) == ("stopped", "user", 1)
    held = one.live.project.all(Endpoint)["e"]
    one.live.editor.do(replace("Mend", one.live.project, [with_fields(held, settings={})]))
    one.connect()


def test_that_a_byte_order_edited_meanwhile_is_no_reason_either(bench: Make, tmp_path: Path) -> None:
    file, unit = tmp_path / "attempts", Unit(id="u", endpoint="e", number=3)
    one = bench(endpoint(settings={"open": "user", "attempts_in": str(file)}), unit)
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "stopped")
    one.live.editor.do(replace("Order", one.live.project, [with_fields(unit, order="CDAB")]))
    answered(one, 0.5)
    assert attempts(file) == ["ABCD"]


def test_that_a_server_that_does_not_trust_us_is_tried_at_the_longest_step_and_comes_up_by_itself(bench: Make, tmp_path: Path) -> None:
    assert BACK_OFF_S[-1] < POLITE_S
    file = tmp_path / "attempts"
    one = bench(endpoint(settings={"open": "rejected", "attempts_in": str(file)}), limits=LinkLimits(back_off_s=(0.05,), polite_s=1.0))
    one.live.connect("e")
    one.until(lambda: one.live.state("e").phase == "waiting")
    answered(one, 0.6)
    assert len(attempts(file)) == 1
    one.until(lambda: len(attempts(file)) == 2)
    assert one.live.state("e").phase == "waiting"


def test_that_an_attempt_with_settings_of_before_an_edit_never_counts_as_connected(bench: Make, tmp_path: Path) -> None:
    file, unit = tmp_path / "attempts", Unit(id="u", endpoint="e", number=3)
    one = bench(endpoint(settings={"open": "delayed", "attempts_in": str(file)}), unit)
    one.live.connect("e")
    one.until(lambda: len(attempts(file)) == 1)
    one.live.editor.do(replace("Order", one.live.project, [with_fields(unit, order="CDAB")]))
    one.until(lambda: one.live.state("e").phase == "connected")
    report = one.live.state("e").report
    assert report is not None
    assert "3=CDAB" in report.product
    assert attempts(file) == ["ABCD", "CDAB"]
