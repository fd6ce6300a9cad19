"""How the user proves who they are (OPC 10000-4 §7.41), decided before anything secret is sent.

asyncua's own way is not used: it takes the first token policy of a kind, encrypts to whatever certificate the session's answer carried,
sends a password in clear text with a log line, and fails on passwords longer than one RSA block.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from asyncua import ua
from asyncua.crypto.security_policies import (
    SecurityPolicy,
    SecurityPolicyAes128Sha256RsaOaep,
    SecurityPolicyAes256Sha256RsaPss,
    SecurityPolicyBasic128Rsa15,
    SecurityPolicyBasic256,
    SecurityPolicyBasic256Sha256,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from app.drivers.opcua.session_offers import LEGACY, MODERN, NONE, USERS, mode_of, token_policy
from app.errors import EndpointError
from app.model.plant import Security
from app.trust.users import UserCertificate

LIBRARY: Final[dict[str, type[SecurityPolicy]]] = {
    "Aes256_Sha256_RsaPss": SecurityPolicyAes256Sha256RsaPss,
    "Aes128_Sha256_RsaOaep": SecurityPolicyAes128Sha256RsaOaep,
    "Basic256Sha256": SecurityPolicyBasic256Sha256,
    "Basic256": SecurityPolicyBasic256,
    "Basic128Rsa15": SecurityPolicyBasic128Rsa15,
}
"""asyncua's classes: algorithm URIs, key derivation and the ciphers of a channel."""


def _oaep(kind: hashes.HashAlgorithm) -> padding.AsymmetricPadding:
    return padding.OAEP(mgf=padding.MGF1(algorithm=kind), algorithm=kind, label=None)


_PADDINGS: Final[dict[str, tuple[Callable[[], padding.AsymmetricPadding], int]]] = {
    "Aes256_Sha256_RsaPss": (lambda: _oaep(hashes.SHA256()), 66),
    "Aes128_Sha256_RsaOaep": (lambda: _oaep(hashes.SHA1()), 42),  # noqa: S303  OAEP's hash as OPC 10000-7 prescribes it
    "Basic256Sha256": (lambda: _oaep(hashes.SHA1()), 42),  # noqa: S303
    "Basic256": (lambda: _oaep(hashes.SHA1()), 42),  # noqa: S303
    "Basic128Rsa15": (padding.PKCS1v15, 11),
}
"""Padding of the policy's asymmetric encryption, and how many bytes of each block it takes (RFC 8017 §7.1.1, §7.2.1)."""


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """Which of the server's user tokens is used.

    Attributes:
        id: The server's name of it.
        protection: Policy that encrypts a password to the server's certificate, or signs for a user certificate; ``None`` for none.
    """

    kind: str
    id: str | None
    protection: str
    user: str = ""

    @property
    def needs_certificate(self) -> bool:
        """Whether the server's certificate must be accepted first, also where the channel does not need one."""
        return self.kind != "anonymous" and self.protection != NONE


def choose_token(url: str, endpoint: ua.EndpointDescription, security: Security) -> TokenChoice:
    """The best protected token of the kind that the project asks for.

    Raises:
        EndpointError: A password would cross the network in clear text, or none of the policies offered is known here.
    """
    tokens = [token for token in endpoint.UserIdentityTokens or () if USERS.get(int(token.TokenType)) == security.user]
    if security.user == "anonymous":
        return TokenChoice("anonymous", tokens[0].PolicyId if tokens else None, NONE)
    offered = {token_policy(endpoint, token): token for token in reversed(tokens)}  # of several with one policy the first
    best = next((policy for policy in (*MODERN, *LEGACY) if policy in offered), NONE)
    if best == NONE:
        _refuse_bare(url, endpoint, security, list(offered))
    return TokenChoice(security.user, offered[best].PolicyId, best, security.name)


def _refuse_bare(url: str, endpoint: ua.EndpointDescription, security: Security, offered: list[str]) -> None:
    """Go on only with a password, not encrypted itself, in an encrypted channel."""
    fix = "Nothing secret was sent. Choose a connection with SignAndEncrypt"
    if NONE not in offered:
        why = f"the server wants the user protected by {' or '.join(offered)}, which this program does not know"
        raise EndpointError("Cannot connect", where=url, why=why, fix=fix)
    if security.user == "certificate":
        why = "the server takes user certificates without a signature here, which proves nothing"
        raise EndpointError("Cannot connect", where=url, why=why, fix=fix)
    if mode_of(endpoint) != "SignAndEncrypt":
        why = "the password would cross the network in clear text: neither the connection nor the server's user token encrypts it"
        raise EndpointError("Cannot connect", where=url, why=why, fix=f"{fix}, or have the server encrypt passwords itself")


Identification = tuple[ua.AnonymousIdentityToken | ua.UserNameIdentityToken | ua.X509IdentityToken, ua.SignatureData]


def identification(
    choice: TokenChoice, *, password: str, certificate: UserCertificate | None, server: bytes, server_nonce: bytes
) -> Identification:
    """Token and its signature for ActivateSession.

    Args:
        choice: Made by ``choose_token``.
        password: Only for ``password``.
        certificate: Only for ``certificate``.
        server: The server's accepted certificate, DER; b"" where no secret is encrypted to it.
        server_nonce: The last one, from CreateSession.
    """
    signature = ua.SignatureData()
    if choice.kind == "password":
        named = ua.UserNameIdentityToken()
        named.PolicyId, named.UserName = choice.id, choice.user
        if choice.protection == NONE:
            named.Password, named.EncryptionAlgorithm = password.encode(), None
        else:
            named.Password = encrypted_password(password, server_nonce, server, choice.protection)
            named.EncryptionAlgorithm = LIBRARY[choice.protection].AsymmetricEncryptionURI
        return named, signature
    if choice.kind == "certificate":
        assert certificate is not None
        certified = ua.X509IdentityToken()
        certified.PolicyId, certified.CertificateData = choice.id, certificate.der
        policy = LIBRARY[choice.protection]
        signature.Algorithm = policy.AsymmetricSignatureURI
        signature.Signature = policy.sign_asymmetric(certificate.key, server + server_nonce)  # type: ignore[attr-defined]  # every subclass has it
        return certified, signature
    anonymous = ua.AnonymousIdentityToken()
    anonymous.PolicyId = choice.id
    return anonymous, signature


def encrypted_password(password: str, server_nonce: bytes, server: bytes, policy: str) -> bytes:
    """The legacy form of OPC 10000-4 §7.41.2.2: length, password, nonce; RSA block by block, so that it may be of any length."""
    key = x509.load_der_x509_certificate(server).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise TypeError("a password can only be encrypted to an RSA key")
    secret = password.encode() + server_nonce
    plain = struct.pack("<I", len(secret)) + secret
    make, overhead = _PADDINGS[policy]
    size = key.key_size // 8 - overhead
    return b"".join(key.encrypt(plain[start : start + size], make()) for start in range(0, len(plain), size))
