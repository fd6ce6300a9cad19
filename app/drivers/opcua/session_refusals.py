"""What a server means when it turns us away, in words, with what to do on which side."""

from __future__ import annotations

from typing import Final

from app.drivers.opcua.session_transport import StepError
from app.drivers.opcua.status import CODE_MASK, status_text
from app.errors import EndpointError
from app.trust.facts import facts, spaced, utc
from app.trust.own import OwnCertificate

_UNTRUSTED: Final = frozenset({0x80120000, 0x80130000, 0x801A0000, 0x80580000, 0x810D0000, 0x81140000, 0x80590000})
"""BadCertificateInvalid, BadSecurityChecksFailed, BadCertificateUntrusted, BadApplicationSignatureInvalid, BadCertificateChainIncomplete,
BadCertificatePolicyCheckFailed, BadNoValidCertificates. The second is what hardened servers say instead of every other reason."""

_TIME: Final = frozenset({0x80140000, 0x80150000})
_HOST: Final = 0x80160000
_URI: Final = 0x80170000
_USE: Final = frozenset({0x80180000, 0x80190000})
_REVOKED: Final = frozenset({0x801B0000, 0x801C0000, 0x801D0000, 0x801E0000})
_POLICY: Final = frozenset({0x80540000, 0x80550000, 0x80E60000})

_DENIED: Final = 0x801F0000
_TOKEN_INVALID: Final = 0x80200000
_TOKEN_REJECTED: Final = 0x80210000
_USER: Final = frozenset({_DENIED, _TOKEN_INVALID, _TOKEN_REJECTED, 0x80570000, 0x80C60000})
"""With BadUserSignatureInvalid and BadIdentityChangeNotSupported."""

_ACTIVATING: Final = "activating the session"
_CERTIFICATE_SEEN: Final = ("opening the secure channel", "creating the session", _ACTIVATING)


def refused(error: StepError, url: str, own: OwnCertificate | None, user: str) -> EndpointError:
    """The error for a person.

    Args:
        error: What the step of connecting said.
        url: As the project has it.
        own: The application certificate that we showed; None without security.
        user: ``anonymous``, ``password`` or ``certificate``.
    """
    code = error.status & CODE_MASK
    about_certificate = code in _UNTRUSTED | _TIME | _USE | _REVOKED or code in (_HOST, _URI)
    if code in _USER or (about_certificate and error.doing == _ACTIVATING and user == "certificate"):
        return _user_refused(code, error, url, user)
    if own is not None and (about_certificate or error.ending in ("silent", "closed")) and error.doing in _CERTIFICATE_SEEN:
        return _certificate_rejected(code, error, url, own)
    if code in _POLICY:
        why = (
            f"{error.doing}: {status_text(error.status)}: the server does not accept this security policy and mode, although it offers them"
        )
        fix = "Choose another of the connections that the server offers, or allow this one on the server"
        return EndpointError("Cannot connect", where=url, why=why, fix=fix)
    return EndpointError("Cannot connect", where=url, why=error.why, fix=error.fix)


def _certificate_rejected(code: int, error: StepError, url: str, own: OwnCertificate) -> EndpointError:
    ours = facts(own.der)
    named = f'our certificate, "{own.name}" ({spaced(own.thumbprint)})'
    trust = (
        f'On the server, move "{own.name}" (thumbprint {spaced(own.thumbprint)}) from the rejected to the trusted certificates. '
        "If it is not listed there, use Save our certificate… and import that file. The connection is tried again by itself"
    )
    said = f"{error.doing}: {status_text(error.status)}" if error.status else error.why
    if code in _TIME:
        dates = f"valid from {utc(ours.not_before_ns)} to {utc(ours.not_after_ns)}"
        why = f"{said}: by the server's clock {named}, {dates}, is expired or not valid yet"
        fix = "Set the clock of the server, or of this computer. The connection is tried again by itself"
    elif code == _URI:
        why = f"{said}: the server does not find our application URI, {own.application_uri}, in {named}"
        fix = f"Remove older certificates of Tagloom from the server. {trust}"
    elif code == _HOST:
        why = f"{said}: the server finds another host in {named} than this computer's"
        fix = trust
    elif code in _USE:
        why = f"{said}: the server does not accept {named}, for the use as a client"
        fix = f"Allow it on the server, or see what use of certificates it asks for. {trust}"
    elif code in _REVOKED:
        why = f"{said}: the server takes {named}, for revoked, or cannot find out"
        fix = f"Look at the revocation lists of the server. {trust}"
    elif code:
        why = f"{said}: the server does not trust {named}, yet"
        fix = trust
    else:
        how = "Most servers do so when they do not" if error.ending == "closed" else "Some servers do not answer those that they do not"
        why = f"{said}. {how} trust: {named}. It can also be a server that has not the key of its own certificate"
        fix = trust
    return EndpointError("The server does not accept us", where=url, why=why, fix=fix, code="rejected", evidence=own.der)


def _user_refused(code: int, error: StepError, url: str, user: str) -> EndpointError:
    said = f"{error.doing}: {status_text(error.status)}"
    shown = {"anonymous": "users without a name", "password": "this user name and password", "certificate": "this user certificate"}[user]
    if code == _TOKEN_REJECTED:
        why = f"{said}: the server does not accept {shown}"
    elif code == _TOKEN_INVALID:
        why = f"{said}: the server cannot read how the user was proved; some say the same of a wrong password"
    elif code == _DENIED:
        more = ", or the password is wrong" if user == "password" else ""
        why = f"{said}: the server does not let {shown} in{more}"
    else:
        why = f"{said}: the server does not accept {shown}"
    fix = {
        "anonymous": "Set a user name and password, or a user certificate, in the security settings of the endpoint",
        "password": "Check user name and password, and the rights of the user on the server",
        "certificate": "Have the user certificate trusted on the server, beside our application certificate, and check the user's rights",
    }[user]
    return EndpointError("The server does not accept the user", where=url, why=why, fix=fix, code="user")
