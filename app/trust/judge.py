"""Whether the certificate chain of a server is accepted, and everything that is wrong with it, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from app.errors import EndpointError, UserError
from app.model.plant import Identity
from app.trust import words
from app.trust.chain import Link, Path, link, links, path_from, why_no_issuer, why_no_server
from app.trust.facts import MAX_CHAIN, MAX_DER, Facts, oddities_allowed, unreadable
from app.trust.names import names_host
from app.trust.problem import Code, Problem
from app.trust.revocation import RevocationList, revocation_of
from app.trust.store import Known, TrustStore

__all__ = ["Code", "Problem", "Verdict", "judge", "refusal"]

_WEAK_HASHES: Final = frozenset({"MD5", "SHA-1"})
_BROKEN_RSA_BITS: Final = 1024
"""Below, a key has been broken in public (RSA-768, 2009), and nobody can accept it."""
_MIN_EC_BITS: Final = 224


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of a chain.

    Attributes:
        accepted: Every problem was accepted before, or there is none.
        problems: All of them at once, the gravest first, those accepted before too (``Problem.accepted``).
        facts: Of the server's own certificate; empty but for the hashes when it is none.
        chain: As it was sent, at most ``MAX_CHAIN`` certificates.
    """

    accepted: bool
    problems: tuple[Problem, ...]
    facts: Facts
    chain: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """What is judged, beside what."""

    path: Path
    trusted: tuple[Known, ...]
    refused: tuple[Known, ...]
    crls: tuple[RevocationList, ...]
    host: str
    application_uri: str
    known: Identity
    now_ns: int
    min_bits: int

    @property
    def leaf(self) -> Link:
        return self.path.links[0]


def judge(
    store: TrustStore | None,
    chain: Sequence[bytes],
    *,
    host: str,
    application_uri: str,
    known: Identity,
    now_ns: int,
    min_bits: int = 2048,
) -> Verdict:
    """Judge what a server sent. Raises only when the store cannot be read; what is in the chain never makes it raise.

    A certificate is trusted when it is in ``trusted`` itself, byte by byte, or when a CA in ``trusted`` stands at the top of a chain
    of checked signatures. Everything else that is wrong must have been accepted for this very certificate (``TrustStore.trust``), or
    for the CA that it is about. Without a revocation list of its CA, a certificate is not accepted until that was.

    Args:
        store: None accepts nothing.
        chain: DER, the server's own first; the others in any order (``facts.split_chain`` takes concatenated DER apart).
        host: Name or address that we connect to; "" is not compared.
        application_uri: What the server calls itself (OPC UA); "" is not compared (TLS).
        known: What the project says of the server.
        now_ns: Unix ns.
        min_bits: Of RSA keys: 2048, or 1024 for the legacy policies (OPC 10000-7).
    """
    with oddities_allowed():
        return _judged(store, tuple(chain[:MAX_CHAIN]), host, application_uri, known, now_ns, min_bits)


def refusal(verdict: Verdict, url: str, application_uri: str = "") -> EndpointError:
    """The error to raise for a verdict that is not accepted: code ``certificate``, the chain as evidence (``facts.split_chain``)."""
    counting = [one for one in verdict.problems if not one.accepted]
    why = "\n".join(one.text for one in counting)
    fix = "\n".join(dict.fromkeys(one.fix for one in counting if one.fix))
    evidence = b"".join(one for one in verdict.chain if len(one) <= MAX_DER)
    return EndpointError(
        "The certificate of the server is not accepted",
        where=url, why=why, fix=fix, code="certificate", evidence=evidence, about=application_uri,
    )  # fmt: skip


def _judged(
    store: TrustStore | None, sent: tuple[bytes, ...], host: str, application_uri: str, known: Identity, now_ns: int, min_bits: int
) -> Verdict:
    own = sent[0] if sent else b""
    try:
        leaf = link(own)
    except UserError as error:
        return Verdict(False, (words.no_certificate(error, empty=not own),), unreadable(own), sent)
    trusted = tuple(store.trusted()) if store else ()
    issuers = store.issuers() if store else []
    authorities = frozenset(one.der for one in trusted if one.facts.authority)
    candidates = links([*sent[1:], *(one.der for one in (*trusted, *issuers))])
    case = _Case(
        path_from(leaf, candidates, authorities), trusted, tuple(store.refused()) if store else (), tuple(store.crls()) if store else (),
        host, application_uri, known, now_ns, min_bits,
    )  # fmt: skip
    problems = [] if store else [words.no_store(leaf.facts)]
    problems += [_with_acceptance(case, one) for one in _problems(case) if store or one.code != "untrusted"]
    return Verdict(all(one.accepted for one in problems), tuple(problems), leaf.facts, sent)


def _problems(case: _Case) -> Iterator[Problem]:
    yield from _decisions(case)
    yield from _signatures(case)
    yield from _revocations(case)
    yield from _dates(case)
    yield from _identity(case)
    yield from _strength(case)
    yield from _uses(case)


def _decisions(case: _Case) -> Iterator[Problem]:
    """What people decided: refused, not trusted, another one than before."""
    for one in case.path.links:
        refused = _same(case.refused, one.der)
        if refused is not None:
            yield words.refused(one.facts, refused.since_ns, own=one is case.leaf)
    trusted = _same(case.trusted, case.leaf.der)
    yield from _changed(case, trusted)
    if trusted is None and not _stands_behind(case):
        yield words.untrusted(case.leaf.facts, case.path.links[-1].facts)


def _stands_behind(case: _Case) -> bool:
    """Whether a trusted authority is at the top, and every link below it was made by one that may."""
    issuers = case.path.links[1:]
    return case.path.end == "trusted" and not any(why_no_issuer(one, number) for number, one in enumerate(issuers))


def _changed(case: _Case, trusted: Known | None) -> Iterator[Problem]:
    now = case.leaf.facts
    pinned = "".join(case.known.thumbprint.split()).replace(":", "").upper()
    if pinned and pinned != now.thumbprint:
        before = next((one for one in case.trusted if one.thumbprint == pinned), None)
        yield words.changed(now, pinned, before.facts if before else None, before.since_ns if before else None, pinned=True)
        return
    if trusted is not None or pinned:
        return
    before = next((one for one in reversed(case.trusted) if not one.facts.authority and _is_predecessor(case, one)), None)
    if before is not None:
        yield words.changed(now, before.thumbprint, before.facts, before.since_ns, pinned=False)


def _is_predecessor(case: _Case, one: Known) -> bool:
    """The same application; or, where neither names one (TLS), the same host."""
    if one.facts.application_uri or case.leaf.facts.application_uri or case.application_uri:
        return one.facts.application_uri in (case.leaf.facts.application_uri, case.application_uri) and one.facts.application_uri != ""
    return case.host != "" and names_host(one.facts.hosts, case.host)


def _signatures(case: _Case) -> Iterator[Problem]:
    top = case.path.links[-1].facts
    match case.path.end:
        case "bad":
            yield words.bad_signature(top, own=len(case.path.links) == 1)
        case "unchecked":
            yield words.unchecked_signature(top)
        case "missing" | "too long":
            yield words.incomplete(top, own=len(case.path.links) == 1)
        case _:
            return


def _revocations(case: _Case) -> Iterator[Problem]:
    path = case.path.links
    for below, issuer in pairwise(path):
        found = revocation_of(below.certificate, issuer.certificate, list(case.crls), case.now_ns)
        if found.revoked:
            yield words.revoked(below.facts, issuer.facts, found.revoked)
        elif found.doubt:
            yield words.no_list(below.facts, issuer.facts, found.doubt)


def _dates(case: _Case) -> Iterator[Problem]:
    for one in case.path.links:
        about = "" if one is case.leaf else one.facts.thumbprint
        if case.now_ns > one.facts.not_after_ns:
            yield words.expired(one.facts, case.now_ns, about)
        elif case.now_ns < one.facts.not_before_ns:
            yield words.not_yet_valid(one.facts, case.now_ns, about)


def _identity(case: _Case) -> Iterator[Problem]:
    found = case.leaf.facts
    if case.host and not names_host(found.hosts, case.host):
        yield words.wrong_host(found, case.host)
    if case.application_uri and found.application_uri != case.application_uri:
        yield words.wrong_uri(found, case.application_uri)


def _strength(case: _Case) -> Iterator[Problem]:
    for one in case.path.links:
        about = "" if one is case.leaf else one.facts.thumbprint
        found = one.facts
        rsa = found.key.startswith(("RSA", "DSA"))
        if found.key_bits < (case.min_bits if rsa else _MIN_EC_BITS):
            broken = found.key_bits < (_BROKEN_RSA_BITS if rsa else _MIN_EC_BITS)
            yield words.weak_key(found, case.min_bits if rsa else _MIN_EC_BITS, about, broken=broken)
        anchor = one is not case.leaf and (found.self_signed or (one is case.path.links[-1] and case.path.end == "trusted"))
        if found.signature in _WEAK_HASHES and not anchor:  # of an anchor the signature says nothing
            yield words.weak_signature(found, about)


def _uses(case: _Case) -> Iterator[Problem]:
    why = why_no_server(case.leaf, opc_ua=case.application_uri != "")
    if why:
        yield words.wrong_use(case.leaf.facts, why)
    for number, issuer in enumerate(case.path.links[1:]):
        why = why_no_issuer(issuer, number)
        if why:
            yield words.no_issuer(case.path.links[number].facts, issuer.facts, why)


def _with_acceptance(case: _Case, problem: Problem) -> Problem:
    if not problem.can_accept:
        return problem
    own = _same(case.trusted, case.leaf.der)
    records = [own] if own else []
    records += [one for one in case.trusted if one.facts.authority and one.thumbprint == problem.about]
    accepted = any(entry in (problem.code, problem.acceptance) for record in records for entry in record.accepting)
    return replace(problem, accepted=accepted)


def _same(known: Sequence[Known], der: bytes) -> Known | None:
    return next((one for one in known if one.der == der), None)
