"""A server of the old python-opcua library, run by the interpreter of its own environment: ``server.py PORT CERTIFICATE KEY``.

It has variables of every kind, every policy the library knows, and the user ``operator`` with the password ``proof-password``.
"""

from __future__ import annotations

import datetime
import sys
import threading
import uuid
from typing import Any

from opcua import Server, ua  # type: ignore[import-not-found]  # of that environment, not of ours

VALUES: dict[str, tuple[Any, str]] = {  # Any: whatever the library takes
    "Boolean": (True, "Boolean"), "SByte": (-5, "SByte"), "Byte": (200, "Byte"), "Int16": (-30000, "Int16"), "UInt16": (60000, "UInt16"),
    "Int32": (-2_000_000_000, "Int32"), "UInt32": (4_000_000_000, "UInt32"), "Int64": (-6, "Int64"), "UInt64": (2**63, "UInt64"),
    "Float": (1.5, "Float"), "Double": (-2.25e100, "Double"), "String": ("Größe", "String"),
    "Guid": (uuid.UUID("72962B91-FA75-4AE6-8D28-B404DC7DAF63"), "Guid"), "Array": ([1.0, 2.0, 3.0], "Double"),
    "When": (datetime.datetime(2026, 1, 2, 3, 4, 5, 678000), "DateTime"),  # noqa: DTZ001  this library wants naive times, in UTC
}  # fmt: skip


def main() -> None:
    port, certificate, key = sys.argv[1:]
    server = Server()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_application_uri("urn:tagloom:proof:python-opcua")
    server.load_certificate(certificate)
    server.load_private_key(key)
    server.set_security_policy(
        [ua.SecurityPolicyType.NoSecurity, ua.SecurityPolicyType.Basic256Sha256_Sign, ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt]
    )
    server.set_security_IDs(["Anonymous", "Username"])
    server.user_manager.set_user_manager(lambda _, name, password: (name, password) == ("operator", "proof-password"))
    space = server.register_namespace("urn:tagloom:proof")
    folder = server.nodes.objects.add_folder(ua.NodeId("Proof", space), "Proof")
    for name, (value, kind) in VALUES.items():
        folder.add_variable(ua.NodeId(name, space), name, ua.Variant(value, getattr(ua.VariantType, kind)))
    counter = folder.add_variable(ua.NodeId("Counter", space), "Counter", ua.Variant(0, ua.VariantType.UInt32))
    server.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    count, ended = 0, threading.Event()
    while not ended.wait(0.1):
        count += 1
        counter.set_value(ua.Variant(count, ua.VariantType.UInt32))


if __name__ == "__main__":
    main()
