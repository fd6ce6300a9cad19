"""What is said of each problem of a certificate: what it is, which dates and names, what it means, what to do. All times in UTC."""

from __future__ import annotations

from app.errors import UserError
from app.trust.facts import Facts, clean, spaced, utc
from app.trust.problem import Problem

_ASK = "Ask whoever runs the server"


def untrusted(own: Facts, top: Facts) -> Problem:
    if own.thumbprint == top.thumbprint:
        stands = "it is self-signed" if own.self_signed else f'it was issued by "{own.issuer}"'
    else:
        stands = f'at the top of its chain stands "{top.name}"'
    text = (
        f'Not trusted yet: nobody has decided on this computer to trust "{own.name}" ({stands}; thumbprint {spaced(own.thumbprint)}; '
        f"valid {utc(own.not_before_ns)} to {utc(own.not_after_ns)})"
    )
    fix = "Compare the thumbprint with the one that the server itself shows, on its display or in its settings; if they agree, trust it"
    return Problem("untrusted", text, can_accept=True, fix=fix)


def no_store(own: Facts) -> Problem:
    text = f'No certificate store is at hand here, so nothing can be trusted: "{own.name}" neither'
    return Problem("untrusted", text, can_accept=False, fix="Connect from the window or with the tagloom command: both have a store")


def no_certificate(error: UserError, *, empty: bool) -> Problem:
    text = "The server sent no certificate" if empty else f"What the server sent is no certificate ({error.where}): {error.why}"
    fix = "Renew the certificate of the server; if it is a good one, a device between here and the server has changed it"
    return Problem("not a certificate", text, can_accept=False, fix=fix)


def refused(one: Facts, since_ns: int, *, own: bool) -> Problem:
    what = f'"{one.name}"' if own else f'"{one.name}", which stands in its chain,'
    text = f"Refused: somebody decided on {utc(since_ns)} on this computer never to accept {what} (thumbprint {spaced(one.thumbprint)})"
    fix = f"If that was wrong: tagloom trust remove {one.thumbprint[:12]}"
    return Problem("refused", text, can_accept=False, fix=fix)


def changed(now: Facts, old: str, before: Facts | None, since_ns: int | None, *, pinned: bool) -> Problem:
    """``pinned``: the project names the old thumbprint; else it was trusted here for the same application or host."""
    who = "The project knows this server by" if pinned else "Trusted here before for this server was"
    if before is None:
        then = f"{who} the certificate with thumbprint {spaced(old)}, which is not in the store of this computer"
    else:
        trusted = f"trusted here on {utc(since_ns)}, " if since_ns is not None else ""
        dates = f"valid {utc(before.not_before_ns)} to {utc(before.not_after_ns)}"
        then = f'{who} "{before.name}" with thumbprint {spaced(old)} ({trusted}{dates})'
    text = (
        f'Changed: the server now shows another certificate. {then}; now it is "{now.name}" with thumbprint {spaced(now.thumbprint)} '
        f"(valid {utc(now.not_before_ns)} to {utc(now.not_after_ns)})"
    )
    fix = (
        f"{_ASK} whether its certificate was renewed or the device replaced. If nobody did that, another machine is answering: do not go on"
    )
    return Problem("changed", text, can_accept=True, fix=fix, about=old)


def expired(one: Facts, now_ns: int, about: str) -> Problem:
    text = f"Expired: {_who(one, about)} was valid until {utc(one.not_after_ns)}, and now it is {utc(now_ns)}"
    return Problem("expired", text, can_accept=True, fix=f"Renew it on the server; check the clock of this computer. {_ASK}", about=about)


def not_yet_valid(one: Facts, now_ns: int, about: str) -> Problem:
    text = f"Not yet valid: {_who(one, about)} is valid from {utc(one.not_before_ns)}, and now it is {utc(now_ns)}"
    fix = "Check the clock of this computer, and that of the server at the time when it made the certificate"
    return Problem("not yet valid", text, can_accept=True, fix=fix, about=about)


def wrong_host(own: Facts, host: str) -> Problem:
    named = f"is for {', '.join(own.hosts[:8])}" if own.hosts else "names no host at all"
    text = f"Wrong host: we connect to {clean(host)}, and the certificate {named}"
    one = own.hosts[0] if own.hosts else ""
    fix = (f"Connect to {one} if this computer can resolve it; else accept" if one else "Accept") + (
        " only if you know that this address is that device: otherwise another device is answering in its name"
    )
    return Problem("wrong host", text, can_accept=True, fix=fix, about=clean(host))


def wrong_uri(own: Facts, application_uri: str) -> Problem:
    has = f'is for "{own.application_uri}"' if own.application_uri else "names no application URI"
    text = f'Wrong application: the server calls itself "{clean(application_uri)}", and the certificate {has}'
    fix = "Make a new certificate on the server, which holds its application URI; this one may have been copied from another device"
    return Problem("wrong uri", text, can_accept=True, fix=fix, about=clean(application_uri))


def weak_key(one: Facts, least: int, about: str, *, broken: bool) -> Problem:
    if one.key_bits == 0:
        text = f"Weak key: the kind of key of {_who(one, about)} is not known here: {one.key}"
    else:
        text = f"Weak key: {_who(one, about)} has a key of {one.key_bits} bits ({one.key}); {least} is the least that is safe"
    fix = "Make a new certificate with a larger key on the server"
    return Problem("weak key", text, can_accept=not broken, fix=fix, about=about)


def weak_signature(one: Facts, about: str) -> Problem:
    text = f"Weak signature: {_who(one, about)} is signed with {one.signature}, with which certificates can be forged"
    return Problem("weak signature", text, can_accept=True, fix="Make a new certificate with SHA-256 on the server", about=about)


def incomplete(top: Facts, *, own: bool) -> Problem:
    what = "it" if own else f'"{top.name}" in its chain'
    text = f'Incomplete chain: {what} was issued by "{top.issuer}", and that certificate was neither sent by the server nor is it here'
    fix = "Get the certificate of that CA and add it: tagloom trust add-issuer FILE"
    return Problem("incomplete chain", text, can_accept=True, fix=fix)


def bad_signature(top: Facts, *, own: bool) -> Problem:
    what = "the certificate" if own else f'"{top.name}" in its chain'
    if top.self_signed:
        text = f"Bad signature: {what} says that it signed itself, and its signature is not right: it was changed after it was made"
        fix = "Make a new certificate on the server; if its own is right, a device between here and the server has changed it"
    else:
        text = f'Bad signature: {what} says that it was issued by "{top.issuer}", but the certificate of this name did not sign it'
        fix = "It may be forged. If there is another CA of the same name, add its certificate: tagloom trust add-issuer FILE"
    return Problem("bad signature", text, can_accept=False, fix=fix)


def unchecked_signature(top: Facts) -> Problem:
    text = f'Bad signature: that of "{top.name}" is of a kind that cannot be checked here ({top.signature}; key {top.key})'
    return Problem("bad signature", text, can_accept=False, fix="Make a new certificate with RSA and SHA-256 on the server")


def revoked(one: Facts, issuer: Facts, when: str) -> Problem:
    text = f'Revoked: "{issuer.name}" no longer stands for "{one.name}" (serial number {one.serial}) since {when.removeprefix("on ")}'
    fix = f"Do not connect. {_ASK}: its key may be in other hands; a new certificate is needed"
    return Problem("revoked", text, can_accept=False, fix=fix, about=one.thumbprint)


def no_list(one: Facts, issuer: Facts, why: str) -> Problem:
    text = f'No revocation list: "{one.name}" was issued by "{issuer.name}", and whether it was revoked since is not known: {why}'
    fix = f'Add the list of the CA: tagloom trust add-crl FILE. Where "{issuer.name}" publishes none, accept that'
    return Problem("no revocation list", text, can_accept=True, fix=fix, about=issuer.thumbprint)


def wrong_use(own: Facts, why: str) -> Problem:
    text = f'Wrong use: "{own.name}" is not a certificate for a server: {why}'
    return Problem("wrong use", text, can_accept=True, fix="Make a new certificate for its application on the server")


def no_issuer(one: Facts, issuer: Facts, why: str) -> Problem:
    text = f'Wrong use: "{issuer.name}" issued "{one.name}" and may not: {why}'
    fix = "The certificate of the server may be forged. Have it issued by a CA that may, or make a self-signed one"
    return Problem("wrong use", text, can_accept=True, fix=fix, about=issuer.thumbprint)


def _who(one: Facts, about: str) -> str:
    return f'"{one.name}" in its chain' if about else f'the certificate "{one.name}"'
