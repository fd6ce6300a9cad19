from __future__ import annotations

import pytest

from app.model.plant import Security
from tests.factory import line4_project
from tests.unit.check.projects import found, line4, other


def test_that_sec_001_names_endpoints_of_both_protocols_without_protection() -> None:
    assert {finding.about for finding in found(line4_project(), "SEC-001")} == {"filler-opcua", "meter-modbus"}


def test_that_sec_001_is_silent_about_a_protected_endpoint() -> None:
    secured = other("filler-opcua", security=Security(policy="Basic256Sha256", mode="SignAndEncrypt"))
    tls = other("meter-modbus", addresses={"default": "modbus-tls://10.0.4.31"})
    assert found(line4(secured, tls), "SEC-001") == []


@pytest.mark.parametrize("url", ["opc.tcp://operator:secret@10.0.4.20:4840", "modbus://token@10.0.4.31"])
def test_that_sec_002_names_credentials_in_any_address(url: str) -> None:
    (finding,) = found(line4(other("filler-opcua", addresses={"default": "opc.tcp://a:4840", "site": url})), "SEC-002")
    assert (finding.severity, finding.about) == ("error", "filler-opcua")
    assert "secret" not in finding.message
    assert "token" not in finding.message


def test_that_sec_002_is_silent_about_a_path_with_an_at_sign() -> None:
    assert found(line4(other("filler-opcua", addresses={"default": "opc.tcp://a:4840/plant@home"})), "SEC-002") == []
