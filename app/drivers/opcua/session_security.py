"""Connecting in the order that keeps secrets, OPC 10000-4 §6.1.4 and §5.6.

Ask for the endpoints, choose, judge the server's certificate; only then open the secured channel, create the session, check that its answer
comes from the same server, and say who the user is.

asyncua's own ``Client`` judges after the session is created, compares nothing, and takes every certificate where it has no store.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, time_ns
from typing import Final

from asyncua import ua
from asyncua.crypto.security_policies import SecurityPolicy
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from app.drivers.base import EndpointConfig
from app.drivers.opcua.session_channel import Channel
from app.drivers.opcua.session_checks import NONCE_BYTES, check_certificate, check_offers, check_signature
from app.drivers.opcua.session_nodes import well_formed
from app.drivers.opcua.session_offers import LEGACY, NONE, check_settings, choose, mode_of, over_tcp, port_of, reached_at, url_parts
from app.drivers.opcua.session_refusals import refused
from app.drivers.opcua.session_tokens import LIBRARY, TokenChoice, choose_token, identification
from app.drivers.opcua.session_transport import StepError
from app.errors import EndpointError
from app.model.plant import Identity
from app.trust.facts import spaced, split_chain, thumbprint_of
from app.trust.judge import judge, refusal
from app.trust.own import OwnCertificate
from app.trust.store import TrustStore
from app.trust.users import PassphraseError, UserCertificate

SESSION_TIMEOUT_MS: Final = 60_000
"""The server forgets a vanished client's session, and frees its subscriptions, after this time."""

_KEPT_BACK_S: Final = 2.0
"""Of the time for connecting, to find out why a server has fallen silent."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was decided after GetEndpoints.

    Attributes:
        url: The endpoint's URL as the server itself spells it. It goes into Hello and CreateSession: servers behind one port tell their
            endpoints apart by its path, and several look up by it which endpoints to answer with, so that our own spelling, an address or
            a forwarded port, finds none. The socket is opened to the address that worked.
        server: The accepted certificate of the server, DER; b"" where none is needed.
        own: Our application certificate; None without security.
    """

    endpoint: ua.EndpointDescription
    token: TokenChoice
    url: str
    server: bytes = b""
    own: OwnCertificate | None = field(default=None, repr=False)
    user: UserCertificate | None = field(default=None, repr=False)

    @property
    def policy(self) -> str:
        return str(self.endpoint.SecurityPolicyUri).rpartition("#")[2]


@dataclass(frozen=True, slots=True)
class Connected:
    """What was agreed on.

    Attributes:
        thumbprint: Of the certificate that the secured channel rests on; "" without security.
        granted: As in ``EndpointReport``.
    """

    endpoints: tuple[ua.EndpointDescription, ...]
    thumbprint: str = ""
    granted: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


async def connect(channel: Channel, config: EndpointConfig, timeout_s: float) -> Connected:
    """From nothing to an activated session.

    Raises:
        EndpointError: Which step failed on which side. Until the server's certificate is accepted, nothing but GetEndpoints was sent.
        UserError: The security settings contradict each other, or the certificate store cannot be used.
    """
    check_settings(channel.url, config.security)
    deadline_s = monotonic() + timeout_s - _KEPT_BACK_S
    await channel.open_unsecured(timeout_s)
    endpoints = await channel.offered()
    plan = _plan(channel.url, config, endpoints)
    try:
        if plan.own is not None or _is_elsewhere(channel.url, plan, endpoints):
            host, port = reached_at(channel.url, plan.endpoint, endpoints)
            limit_s = min(channel.timeout_s, max(deadline_s - monotonic(), 1.0))
            await channel.reopen(plan.url, host, port, _library_policy(channel.url, plan), limit_s)
        session_ms = await _start_session(channel, plan, endpoints, config.secret)
    except StepError as error:
        raise await _explained(error, channel, plan, config) from error
    if plan.own is not None:
        channel.why_not_renewed = lambda: _why_not_renewed(channel, plan)
    granted = {
        "session time-out": _seconds(session_ms, SESSION_TIMEOUT_MS),
        "security token lifetime": _seconds(channel.granted_lifetime_ms, channel.lifetime_ms),
    }
    thumbprint = thumbprint_of(plan.server) if plan.own is not None else ""
    return Connected(tuple(endpoints), thumbprint, granted, tuple(_notes(plan)))


def _plan(url: str, config: EndpointConfig, endpoints: Sequence[ua.EndpointDescription]) -> Plan:
    security = config.security
    endpoint = choose(url, endpoints, security)
    token = choose_token(url, endpoint, security)
    secured = security.policy != NONE
    server, own, user = b"", None, None
    if secured or token.needs_certificate:
        server = _judged(url, config, endpoint)
    if secured:
        own = TrustStore(Path(config.pki)).own()
    if token.kind == "certificate":
        user = _user_certificate(config)
    return Plan(endpoint, token, well_formed(endpoint.EndpointUrl), server, own, user)


def _judged(url: str, config: EndpointConfig, endpoint: ua.EndpointDescription, known: Identity | None = None) -> bytes:
    """The server's own certificate, accepted."""
    chain = split_chain(endpoint.ServerCertificate or b"")
    verdict = judge(
        TrustStore(Path(config.pki)) if config.pki else None,
        chain,
        host=url_parts(url).hostname or "",
        application_uri=well_formed(endpoint.Server.ApplicationUri),
        known=known or config.identity,
        now_ns=time_ns(),
    )
    if not verdict.accepted:
        raise refusal(verdict, url, well_formed(endpoint.Server.ApplicationUri))
    if not isinstance(x509.load_der_x509_certificate(chain[0]).public_key(), rsa.RSAPublicKey):
        why = f"the server's certificate has another kind of key ({verdict.facts.key}) than its security policy works with (RSA)"
        raise EndpointError("Cannot connect", where=url, why=why, fix="Choose another of the connections that the server offers")
    return chain[0]


def _user_certificate(config: EndpointConfig) -> UserCertificate:
    security = config.security
    if not config.pki:
        why = "there is no certificate store here, and the user certificate is kept in it"
        raise EndpointError("Cannot connect", where=config.url, why=why, fix="Name the folder of the certificate store")
    try:
        return TrustStore(Path(config.pki)).user(security.name, config.secret)
    except PassphraseError as error:
        where = security.secret or security.name
        raise EndpointError("Cannot connect", where=where, why=error.why, fix=error.fix, code="secret") from error


def _library_policy(url: str, plan: Plan) -> SecurityPolicy | None:
    if plan.own is None:
        return None
    try:
        mine = x509.load_der_x509_certificate(plan.own.der)
        theirs = x509.load_der_x509_certificate(plan.server)
        return LIBRARY[plan.policy](theirs, mine, plan.own.key, ua.MessageSecurityMode(plan.endpoint.SecurityMode))
    except ValueError as error:
        raise EndpointError("Cannot connect", where=url, why=f"the server's certificate cannot be used: {error}") from error


def _is_elsewhere(url: str, plan: Plan, endpoints: Sequence[ua.EndpointDescription]) -> bool:
    """Whether the endpoint is another one than that which told the endpoints, though neither is secured."""
    ours, theirs = url_parts(url), url_parts(plan.url)
    return theirs.path.rstrip("/") != ours.path.rstrip("/") or reached_at(url, plan.endpoint, endpoints)[1] != port_of(ours)


async def _start_session(channel: Channel, plan: Plan, endpoints: Sequence[ua.EndpointDescription], secret: str) -> float:
    """CreateSession and ActivateSession (OPC 10000-4 §5.6.2, §5.6.3); gives the session time-out in ms."""
    nonce = os.urandom(NONCE_BYTES)
    created = await channel.create_session(_create_parameters(plan, nonce))
    policy = _library_policy(channel.url, plan)
    server_nonce = created.ServerNonce or b""
    if plan.server:
        check_certificate(channel.url, plan.server, created, is_secured=policy is not None)
    if policy is not None:
        assert plan.own is not None
        check_signature(channel.url, plan.server, created, policy, plan.own.der + nonce)
        check_offers(channel.url, plan.url, endpoints, created.ServerEndpoints or ())
    wanted = ua.ActivateSessionParameters()
    wanted.LocaleIds = ["en"]
    if policy is not None:
        wanted.ClientSignature.Algorithm = policy.AsymmetricSignatureURI
        signature: bytes = policy.asymmetric_cryptography.signature(plan.server + server_nonce)  # type: ignore[no-untyped-call]  # asyncua's
        wanted.ClientSignature.Signature = signature
    wanted.UserIdentityToken, wanted.UserTokenSignature = identification(
        plan.token,
        password=secret if plan.token.kind == "password" else "",
        certificate=plan.user,
        server=plan.server,
        server_nonce=server_nonce,
    )
    await channel.activate_session(wanted)
    return float(created.RevisedSessionTimeout)


def _create_parameters(plan: Plan, nonce: bytes) -> ua.CreateSessionParameters:
    wanted = ua.CreateSessionParameters()
    about = wanted.ClientDescription
    about.ApplicationUri = plan.own.application_uri if plan.own is not None else f"urn:{socket.gethostname()}:tagloom"
    about.ProductUri = "urn:tagloom"
    about.ApplicationName = ua.LocalizedText("Tagloom")
    about.ApplicationType = ua.ApplicationType.Client
    wanted.ServerUri = None
    wanted.EndpointUrl = plan.url
    wanted.SessionName = f"Tagloom on {socket.gethostname()}"
    wanted.ClientNonce = nonce
    wanted.ClientCertificate = plan.own.der if plan.own is not None else None
    wanted.RequestedSessionTimeout = ua.Double(SESSION_TIMEOUT_MS)
    wanted.MaxResponseMessageSize = ua.UInt32(0)
    return wanted


async def _explained(error: StepError, channel: Channel, plan: Plan, config: EndpointConfig) -> EndpointError:
    """Why it failed: the server changed its certificate meanwhile, or it does not want ours or the user, or something else."""
    if plan.own is not None and not error.status:
        changed = await _changed(channel, plan)
        if changed is not None:
            known = Identity(application_uri=config.identity.application_uri, thumbprint=thumbprint_of(plan.server))
            try:
                _judged(channel.url, config, changed, known)
            except EndpointError as judged:
                return judged
            why = "the server has changed its certificate just now"
            return EndpointError("Cannot connect", where=channel.url, why=why, fix="It is tried again by itself")
    return refused(error, channel.url, plan.own, plan.token.kind)


async def _changed(channel: Channel, plan: Plan) -> ua.EndpointDescription | None:
    """The endpoint as the server offers it now, where its certificate is another one than that which was accepted."""
    with suppress(EndpointError):  # it does not answer at all any more: then that is what is told
        for endpoint in over_tcp(await channel.offered_now()):
            if endpoint.SecurityPolicyUri == plan.endpoint.SecurityPolicyUri and endpoint.SecurityMode == plan.endpoint.SecurityMode:
                chain = split_chain(endpoint.ServerCertificate or b"")
                return endpoint if chain and chain[0] != plan.server else None
    return None


async def _why_not_renewed(channel: Channel, plan: Plan) -> str:
    changed = await _changed(channel, plan)
    if changed is None:
        return ""
    now = thumbprint_of(split_chain(changed.ServerCertificate)[0])
    was = thumbprint_of(plan.server)
    return f"the certificate of the server has changed from {spaced(was)} to {spaced(now)}; the secure channel could not be renewed"


def _seconds(granted_ms: float, asked_ms: float) -> str:
    shown = f"{granted_ms / 1000:g} s"
    return shown if granted_ms == asked_ms else f"{shown} instead of {asked_ms / 1000:g} s"


def _notes(plan: Plan) -> Iterable[str]:
    if plan.policy in LEGACY:
        yield f"Legacy security: {plan.policy} is deprecated and can be broken. Have the server updated, or use a policy with Sha256."
    elif plan.token.protection in LEGACY:
        yield f"Legacy security: the user is protected by {plan.token.protection} only, which is deprecated and can be broken."
    if mode_of(plan.endpoint) == "Sign":
        yield "Messages are signed but not encrypted: everybody on the network can read the values."
