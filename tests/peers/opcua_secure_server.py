"""An OPC UA server with every security policy and user token, in its own process, that misbehaves on command.

``python -m tests.peers.opcua_secure_server --port N --certificate DER --key PEM``. Prints ``ready``, then reads one JSON object per line,
the whole behaviour from then on (see ``Behaviour``), and prints ``ok`` when it holds for new connections. It ends when its input ends.
"""

import argparse
import asyncio
import json
import logging
import struct
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncua.ua
from asyncua.common.connection import SecureConnection
from asyncua.common.utils import ServiceError
from asyncua.crypto import uacrypto
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.server.internal_session import InternalSession
from asyncua.server.server import Server
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import struct_to_binary, uatcp_to_binary
from cryptography import x509
from cryptography.hazmat.primitives import serialization

ua: Any = asyncua.ua  # Any: its annotations ask for wrappers that it does not need
URI = "urn:peer:secure"
LINE = "urn:peer:line;1"
POLICY_URI = "http://opcfoundation.org/UA/SecurityPolicy#"
_DECRYPT: dict[str, Any] = {
    "http://www.w3.org/2001/04/xmlenc#rsa-1_5": uacrypto.decrypt_rsa15,
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": uacrypto.decrypt_rsa_oaep,
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": uacrypto.decrypt_rsa_oaep_sha256,
}


@dataclass
class Behaviour:
    """Defaults are those of a good server.

    Attributes:
        certificate, key: Files, to be changed while running; connections stay.
        shown: Another certificate for GetEndpoints, so many times as ``shown_times``.
        session_certificate: Another certificate for CreateSession.
        spoil: ``signature`` or ``nonce`` of CreateSession.
        reject: How client certificates that are not in the folder ``trusted`` are turned away: ``fault`` (of CreateSession), ``error``
            (message at OpenSecureChannel), ``open-fault``, ``clear-fault`` (answers to it), ``cut``, ``silent``; with ``code``.
        users: Name → password; ``certificates`` the folder of accepted user certificates.
        user_code: Thrown at ActivateSession.
        token_policy: Of the user name tokens, in place of asyncua's; "" leaves them, "-" writes an empty URI.
        tokens: Kinds of user tokens offered.
        hide: Policies that GetEndpoints keeps to itself.
        called: Host and port that the server writes into its endpoints, instead of those it was asked by.
        insist: Refuse to create a session under another URL than its own.
        level: Security level of every endpoint; -1 leaves asyncua's.
        session_s: Session time-out granted, whatever is asked for; 0 leaves asyncua's.
    """

    certificate: str
    key: str
    shown: str = ""
    shown_times: int = 0
    session_certificate: str = ""
    spoil: str = ""
    reject: str = ""
    code: int = 0x801A0000
    trusted: str = ""
    users: dict[str, str] = field(default_factory=dict)
    certificates: str = ""
    user_code: int = 0
    token_policy: str = ""
    tokens: tuple[str, ...] = ("anonymous", "password", "certificate")
    hide: tuple[str, ...] = ()
    called: str = ""
    insist: bool = False
    level: int = -1
    session_s: int = 0


class SecureServer:
    def __init__(self, options: argparse.Namespace) -> None:
        self.port: int = options.port
        self.behaviour = Behaviour(options.certificate, options.key)
        self.server = Server(user_manager=self)  # type: ignore[arg-type]  # it has the one method that is called
        self._changed_keys: tuple[str, str] = ("", "")

    async def serve(self) -> None:
        server = self.server
        await server.init()
        server.socket_address = ("127.0.0.1", self.port)
        server.set_endpoint(f"opc.tcp://127.0.0.1:{self.port}/peer")
        server.set_server_name("Secure peer")
        await server.set_application_uri(URI)
        server.set_security_policy(list(ua.SecurityPolicyType))
        line = await server.register_namespace(LINE)
        plant = await server.nodes.objects.add_folder(ua.NodeId("Line1", line), f"{line}:Line1")
        await plant.add_variable(ua.NodeId("Speed", line), f"{line}:Speed", 103.0)
        await plant.add_variable(ua.NodeId("Long", line), f"{line}:Long", "x" * 150_000)
        counter = await plant.add_variable(ua.NodeId("Counter", line), f"{line}:Counter", 0, ua.VariantType.UInt32)
        self._take_over()
        self._load_keys()
        commands: asyncio.Queue[str | None] = asyncio.Queue()
        threading.Thread(target=_listen, args=(asyncio.get_running_loop(), commands), daemon=True).start()
        async with server:
            _say("ready")
            count = 0
            while True:
                count += 1
                await counter.write_value(ua.UInt32(count), ua.VariantType.UInt32)
                try:
                    async with asyncio.timeout(0.05):
                        command = await commands.get()
                except TimeoutError:
                    continue
                if command is None:
                    return
                await self._behave(json.loads(command))
                _say("ok")

    async def _behave(self, wanted: dict[str, Any]) -> None:
        self.behaviour = Behaviour(**{"certificate": self.behaviour.certificate, "key": self.behaviour.key, **wanted})
        self._load_keys()
        server: Any = self.server
        server.iserver.endpoints.clear()
        server._policies.clear()
        kinds = {"anonymous": ua.AnonymousIdentityToken, "password": ua.UserNameIdentityToken, "certificate": ua.X509IdentityToken}
        server.set_identity_tokens([kinds[kind] for kind in self.behaviour.tokens])
        await server._setup_server_nodes()
        for endpoint in server.iserver.endpoints:
            self._shape(endpoint)
        server.bserver.set_policies(list(server._policies))

    def _shape(self, endpoint: Any) -> None:
        behaviour = self.behaviour
        if behaviour.level >= 0:
            endpoint.SecurityLevel = behaviour.level
        for token in endpoint.UserIdentityTokens:
            if token.TokenType == ua.UserTokenType.UserName and behaviour.token_policy:
                token.SecurityPolicyUri = None if behaviour.token_policy == "-" else POLICY_URI + behaviour.token_policy

    def _load_keys(self) -> None:
        files = (self.behaviour.certificate, self.behaviour.key)
        if files == self._changed_keys:
            return
        self._changed_keys = files
        internal: Any = self.server.iserver
        internal.certificate = x509.load_der_x509_certificate(Path(files[0]).read_bytes())
        internal.private_key = serialization.load_pem_private_key(Path(files[1]).read_bytes(), None)
        for client in self.server.bserver.clients if self.server.bserver is not None else []:
            policy = client.processor._connection.security_policy if client.processor is not None else None
            if policy is not None and policy.peer_certificate:
                theirs = x509.load_der_x509_certificate(policy.peer_certificate)
                now = type(policy)(theirs, internal.certificate, internal.private_key, policy.Mode)
                policy.asymmetric_cryptography = now.asymmetric_cryptography  # what a renewal is signed and read with

    # --- what asyncua asks a user manager, and its own methods replaced

    def get_user(self, _: Any, username: str | None = None, password: str | None = None, certificate: Any = None) -> User | None:
        del certificate
        if username is not None and self.behaviour.users.get(username) != password:
            return None
        return User(role=UserRole.User)

    def _take_over(self) -> None:
        internal: Any = self.server.iserver
        internal.decrypt_user_token = self._decrypted
        verify, endpoints = internal.verify_x509_token, internal.get_endpoints

        def verified(session: Any, token: Any, signature: Any) -> Any:
            data = verify(session, token, signature)
            if not _holds(self.behaviour.certificates, token.CertificateData):
                raise ServiceError(ua.StatusCodes.BadIdentityTokenRejected)
            return data

        async def told(params: Any = None, sockname: Any = None) -> list[Any]:
            found = await endpoints(params, sockname)
            for one in found if self.behaviour.called else []:
                one.EndpointUrl = f"opc.tcp://{self.behaviour.called}/peer"
            return list(found)

        internal.verify_x509_token, internal.get_endpoints = verified, told
        self._take_sessions_over()
        self._take_messages_over()

    def _take_sessions_over(self) -> None:
        create, activate = InternalSession.create_session, InternalSession.activate_session

        async def created(session: Any, params: Any, sockname: Any = None) -> Any:
            behaviour, theirs = self.behaviour, params.ClientCertificate
            if behaviour.insist and params.EndpointUrl != f"opc.tcp://{behaviour.called}/peer":
                raise ServiceError(ua.StatusCodes.BadTcpEndpointUrlInvalid)
            if behaviour.reject == "fault" and theirs and not _holds(behaviour.trusted, theirs):
                raise ServiceError(behaviour.code)
            result = await create(session, params, sockname)
            if behaviour.spoil == "nonce":
                session.nonce = result.ServerNonce = b"short"
            if behaviour.session_s:
                result.RevisedSessionTimeout = behaviour.session_s * 1000
            return result

        def activated(session: Any, params: Any, peer: Any) -> Any:
            if self.behaviour.user_code:
                raise ServiceError(self.behaviour.user_code)
            return activate(session, params, peer)

        kind: Any = InternalSession
        kind.create_session, kind.activate_session = created, activated

    def _take_messages_over(self) -> None:
        processor: Any = UaProcessor
        send, opened = processor.send_response, processor.open_secure_channel

        def sent(self_: Any, handle: Any, sequence: Any, response: Any, *more: Any) -> None:
            behaviour = self.behaviour
            if isinstance(response, ua.GetEndpointsResponse):
                response.Endpoints = self._discovered(response.Endpoints)
            if isinstance(response, ua.CreateSessionResponse):
                if behaviour.spoil == "signature":
                    response.Parameters.ServerSignature.Signature = bytes(256)
                if behaviour.session_certificate:
                    response.Parameters.ServerCertificate = Path(behaviour.session_certificate).read_bytes()
            send(self_, handle, sequence, response, *more)

        def open_secure_channel(self_: Any, algorithm: Any, sequence: Any, body: Any) -> None:
            theirs = algorithm.SenderCertificate
            if theirs and self.behaviour.reject not in ("", "fault") and not _holds(self.behaviour.trusted, theirs):
                self._turn_away(self_, algorithm, sequence, body)
            else:
                opened(self_, algorithm, sequence, body)

        processor.send_response, processor.open_secure_channel = sent, open_secure_channel

    def _discovered(self, endpoints: list[Any]) -> list[Any]:
        behaviour = self.behaviour
        shown = [one for one in endpoints if one.SecurityPolicyUri.rpartition("#")[2] not in behaviour.hide]
        if behaviour.shown and behaviour.shown_times > 0:
            behaviour.shown_times -= 1
            for one in shown:
                one.ServerCertificate = Path(behaviour.shown).read_bytes()
        return shown

    def _turn_away(self, processor: Any, algorithm: Any, sequence: Any, body: Any) -> None:
        way = self.behaviour.reject
        status = ua.StatusCode(self.behaviour.code)
        fault = ua.ServiceFault()
        fault.ResponseHeader.ServiceResult = status
        if way == "error":
            processor._transport.write(uatcp_to_binary(ua.MessageType.Error, ua.ErrorMessage(status, "not trusted")))
        if way == "open-fault":
            request = asyncua.ua.ua_binary.struct_from_binary(ua.OpenSecureChannelRequest, body)
            processor._connection.select_policy(algorithm.SecurityPolicyURI, algorithm.SenderCertificate, request.Parameters.SecurityMode)
            processor.send_response(1, sequence, fault, ua.MessageType.SecureOpen)
        if way == "clear-fault":
            nothing = SecurityPolicyNone()  # type: ignore[no-untyped-call]
            bare = SecureConnection(nothing, processor._limits)
            kind = ua.MessageType.SecureOpen
            processor._transport.write(bare.message_to_binary(struct_to_binary(fault), message_type=kind, request_id=sequence.RequestId))
        if way != "silent":
            processor._transport.close()

    def _decrypted(self, session: Any, token: Any) -> tuple[str, str]:
        """asyncua's own cannot read passwords longer than a block."""
        if not token.EncryptionAlgorithm:
            return token.UserName, (token.Password or b"").decode()
        key: Any = self.server.iserver.private_key
        size = key.key_size // 8
        decrypt = _DECRYPT[token.EncryptionAlgorithm]
        plain = b"".join(decrypt(key, token.Password[start : start + size]) for start in range(0, len(token.Password), size))
        length = struct.unpack_from("<I", plain)[0]
        secret = plain[4 : 4 + length]
        assert len(plain) == 4 + length
        assert secret.endswith(session.nonce)
        return token.UserName, secret[: -len(session.nonce)].decode()


def _holds(folder: str, der: bytes) -> bool:
    return bool(folder) and any(path.read_bytes() == der for path in Path(folder).glob("*.der"))


def _listen(loop: asyncio.AbstractEventLoop, commands: "asyncio.Queue[str | None]") -> None:
    for line in sys.stdin:
        loop.call_soon_threadsafe(commands.put_nowait, line)
    loop.call_soon_threadsafe(commands.put_nowait, None)


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--certificate", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--loud", action="store_true", help="log to standard error")
    options = parser.parse_args()
    if not options.loud:
        logging.disable(logging.CRITICAL)
    asyncio.run(SecureServer(options).serve())


if __name__ == "__main__":
    main()
