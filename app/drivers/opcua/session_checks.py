"""What the answer to CreateSession must agree with before anything secret follows it (OPC 10000-4 §5.6.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicy

from app.drivers.opcua.session_nodes import well_formed
from app.drivers.opcua.session_offers import mode_of, over_tcp, policy_of, url_parts
from app.errors import EndpointError
from app.trust.facts import spaced, split_chain, thumbprint_of

NONCE_BYTES: Final = 32
"""Least length of the client's and of the server's nonce, §5.6.2.2."""

_SUSPECT: Final = "Nothing secret was sent. Somebody between here and the server may be changing messages; ask who runs the network"
_Offer = tuple[str, str, int, frozenset[tuple[str, int, str, str]]]


def check_certificate(url: str, accepted: bytes, created: ua.CreateSessionResult, *, is_secured: bool) -> None:
    """The session's certificate is the one accepted, and its nonce long enough that nobody can replay what we sign or encrypt with it.

    Raises:
        EndpointError: It is not.
    """
    sent = created.ServerCertificate or b""
    chain = split_chain(sent)
    if chain[:1] != (accepted,) and (chain or is_secured):
        shown = spaced(thumbprint_of(chain[0])) if chain else "none"
        why = f"the session came with another certificate ({shown}) than the one accepted ({spaced(thumbprint_of(accepted))})"
        raise EndpointError("Cannot connect", where=url, why=why, fix=_SUSPECT)
    if len(created.ServerNonce or b"") < NONCE_BYTES:
        length = len(created.ServerNonce or b"")
        why = f"the server's random number (nonce) has {length} bytes and not {NONCE_BYTES}: what we sign with it could be replayed"
        raise EndpointError("Cannot connect", where=url, why=why, fix="Nothing secret was sent. Update the server")


def check_signature(url: str, accepted: bytes, created: ua.CreateSessionResult, policy: SecurityPolicy, signed: bytes) -> None:
    """The server has the key of its certificate.

    Args:
        signed: Our certificate and our nonce.

    Raises:
        EndpointError: It could not prove so.
    """
    try:
        policy.asymmetric_cryptography.verify(signed, created.ServerSignature.Signature or b"")  # type: ignore[no-untyped-call]  # asyncua's
    except Exception as error:  # cryptography's InvalidSignature, or what a signature of another length or type provokes
        why = (
            f"the server could not prove that it has the key of its certificate ({spaced(thumbprint_of(accepted))}): its signature is wrong"
        )
        raise EndpointError("Cannot connect", where=url, why=why, fix=_SUSPECT) from error


def check_offers(url: str, chosen_url: str, before: Sequence[ua.EndpointDescription], now: Sequence[ua.EndpointDescription]) -> None:
    """The unprotected list that we chose from is the one that the server now tells protected, else somebody took the better offers out.

    Compared is what OPC 10000-4 §5.6.2.2 recommends, but for host and port, which servers adapt to whoever asks. Endpoints with another
    path than the chosen one may be missing now: servers with several behind one port tell those of the one asked.

    Raises:
        EndpointError: It is another one, and what differs.
    """
    path = url_parts(chosen_url).path.rstrip("/")
    told, secure = _compared(before, path), _compared(now, path)
    if told == secure:
        return
    parts = []
    if secure - told:
        parts.append(f"{_shown(secure - told)} was left out of the list that came without protection")
    if told - secure:
        parts.append(f"{_shown(told - secure)} was only in the list that came without protection")
    why = f"the server offers other connections now than when it was asked without protection: {'; '.join(parts)}"
    raise EndpointError("Cannot connect", where=url, why=why, fix=_SUSPECT)


def _compared(endpoints: Iterable[ua.EndpointDescription], path: str) -> set[_Offer]:
    return {
        (
            policy_of(endpoint.SecurityPolicyUri),
            mode_of(endpoint),
            int(endpoint.SecurityLevel),
            frozenset(
                (
                    well_formed(token.PolicyId),
                    int(token.TokenType),
                    well_formed(token.SecurityPolicyUri),
                    well_formed(token.IssuedTokenType),
                )
                for token in endpoint.UserIdentityTokens or ()
            ),
        )
        for endpoint in over_tcp(endpoints)
        if url_parts(endpoint.EndpointUrl).path.rstrip("/") == path
    }


def _shown(offers: set[_Offer]) -> str:
    return " and ".join(sorted(f"{policy} {mode}, level {level}, {len(tokens)} user tokens" for policy, mode, level, tokens in offers))
