"""SEC: endpoints without protection, and secrets where they must not be."""

from __future__ import annotations

from collections.abc import Iterator

from app.check.base import Finding, Rule
from app.model.plant import Endpoint
from app.model.project import Project


def _unprotected(project: Project) -> Iterator[Finding]:
    for endpoint in project.all(Endpoint).values():
        scheme = endpoint.addresses.get("default", "").split(":", 1)[0]
        if scheme == "opc.tcp" and endpoint.security.mode == "None":
            message = "OPC UA security is None: anyone on the network can read along and answer in the server's place"
            yield Finding("SEC-001", "warning", endpoint.id, endpoint.name, message, "Choose Sign and encrypt, or suppress with a reason")
        if scheme in ("modbus", "modbus-rtutcp"):
            message = "Modbus TCP has no authentication: anyone on the cell network can read and write"
            yield Finding(
                "SEC-001",
                "warning",
                endpoint.id,
                endpoint.name,
                message,
                "Use Modbus TLS where the device has it, or suppress with a reason",
            )


def _secrets_in_addresses(project: Project) -> Iterator[Finding]:
    for endpoint in project.all(Endpoint).values():
        for name, url in endpoint.addresses.items():
            authority = url.split("://", 1)[-1].split("/", 1)[0]
            if "@" in authority:
                message = f'the address "{name}" carries credentials: project files are mailed and committed'
                yield Finding(
                    "SEC-002", "error", endpoint.id, endpoint.name, message, "Remove them from the address; use a secret reference"
                )


RULES = [
    Rule("SEC-001", "no security", "warning", "Values can be read and forged on the way.", _unprotected),
    Rule("SEC-002", "secret in file", "error", "Whoever gets the file gets the password.", _secrets_in_addresses),
]
