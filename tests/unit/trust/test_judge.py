"""One problem at a time: a server that is trusted and right in everything but one. Texts are what a person reads."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from app.model.plant import Identity
from app.trust.facts import spaced, split_chain, thumbprint_of
from app.trust.judge import Verdict, judge, refusal
from app.trust.store import TrustStore
from tests.certificates import (
    CLIENT,
    HOST,
    NOW_NS,
    URI,
    Made,
    authority,
    ec_key,
    forged,
    rsa_key,
    server,
    signed_with,
)
from tests.unit.trust.conftest import Judging, codes


def only(found: Verdict) -> str:
    """The text of the one problem."""
    assert len(found.problems) == 1, [one.text for one in found.problems]
    assert not found.accepted
    return found.problems[0].text


def test_that_a_trusted_certificate_that_is_right_is_accepted(store: TrustStore, verdict: Judging) -> None:
    good = server()
    store.trust(good.der)
    found = verdict(good)
    assert (found.accepted, found.problems) == (True, ())
    assert found.facts.thumbprint == thumbprint_of(good.der)


def test_that_an_unknown_certificate_is_not_trusted_and_says_what_to_compare(verdict: Judging) -> None:
    stranger = server()
    found = verdict(stranger)
    assert codes(found) == ["untrusted"]
    assert only(found) == (
        'Not trusted yet: nobody has decided on this computer to trust "PLC7" (it is self-signed; thumbprint '
        f"{spaced(thumbprint_of(stranger.der))}; valid 2026-01-01 00:00 UTC to 2030-01-01 00:00 UTC)"
    )
    assert "Compare the thumbprint" in found.problems[0].fix


def test_that_an_impostor_of_the_same_names_is_not_the_one_that_is_trusted(store: TrustStore, verdict: Judging) -> None:
    store.trust(server().der)
    impostor = server(key=rsa_key("impostor"))
    assert codes(verdict(impostor)) == ["changed", "untrusted"]


def test_that_without_a_store_nothing_is_accepted() -> None:
    found = judge(None, [server().der], host=HOST, application_uri=URI, known=Identity(), now_ns=NOW_NS)
    assert [(one.code, one.can_accept) for one in found.problems] == [("untrusted", False)]
    assert not found.accepted
    assert "No certificate store is at hand" in found.problems[0].text


def test_that_a_refused_certificate_stays_refused_whatever_is_accepted(store: TrustStore, verdict: Judging) -> None:
    bad = server()
    store.trust(bad.der, accepting=["expired", "wrong host", "changed"])
    store.refuse(bad.der)
    found = verdict(bad)
    assert codes(found) == ["refused", "untrusted"]
    assert "on 2026-11-22 12:00 UTC on this computer never to accept" in found.problems[0].text
    assert not found.problems[0].can_accept


# Dates


def test_that_an_expired_certificate_says_until_when(store: TrustStore, verdict: Judging) -> None:
    old = server(until=datetime(2026, 11, 22, 11, 59, tzinfo=UTC))
    store.trust(old.der)
    text = only(verdict(old))
    assert text == 'Expired: the certificate "PLC7" was valid until 2026-11-22 11:59 UTC, and now it is 2026-11-22 12:00 UTC'


def test_that_a_certificate_of_tomorrow_says_from_when(store: TrustStore, verdict: Judging) -> None:
    early = server(since=datetime(2026, 11, 23, tzinfo=UTC))
    store.trust(early.der)
    text = only(verdict(early))
    assert text == 'Not yet valid: the certificate "PLC7" is valid from 2026-11-23 00:00 UTC, and now it is 2026-11-22 12:00 UTC'


def test_that_the_last_second_of_a_certificate_still_counts(store: TrustStore, verdict: Judging) -> None:
    last = server(until=datetime(2026, 11, 22, 12, 0, tzinfo=UTC))
    store.trust(last.der)
    assert verdict(last).accepted
    assert codes(verdict(last, now_ns=NOW_NS + 1)) == ["expired"]


def test_that_a_certificate_without_end_is_valid_for_ever(verdict: Judging) -> None:
    endless = server(until=datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC))
    assert "to for ever" not in only(verdict(endless)).replace("2026-01-01 00:00 UTC to for ever", "")
    assert codes(verdict(endless, now_ns=2**63 - 1)) == ["untrusted"]


# Whose it is


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["plc7.plant.local"], "PLC7.Plant.Local"),
        (["PLC7.PLANT.LOCAL"], "plc7.plant.local."),
        (["10.0.4.20"], "10.0.4.20"),
        (["fd00::2"], "[FD00:0:0:0:0:0:0:2]"),
        (["fe80::1"], "fe80::1%eth0"),
        (["10.0.4.20"], "::ffff:10.0.4.20"),
        (["other", "*.plant.local"], "plc7.plant.local"),
        (["xn--bro-hoa"], "büro"),
    ],
)
def test_that_a_host_is_the_same_in_every_way_of_writing_it(store: TrustStore, verdict: Judging, hosts: list[str], host: str) -> None:
    named = server(hosts=hosts)
    store.trust(named.der)
    assert verdict(named, host=host).accepted


@pytest.mark.parametrize(
    ("hosts", "host"),
    [
        (["plc8.plant.local"], "plc7.plant.local"),
        (["plc7"], "plc7.plant.local"),
        (["plc7.plant.local"], "plc7"),
        (["10.0.4.2"], "10.0.4.20"),
        (["fd00::2"], "fd00::3"),
        (["*.plant.local"], "a.plc7.plant.local"),
        (["*.local"], "plc7.local"),
        (["*.plant.local"], "plant.local"),
        (["plc7.plant.local"], "10.0.4.20"),
        ([], "PLC7"),  # the common name
    ],
)
def test_that_another_host_is_told_with_both_names(store: TrustStore, verdict: Judging, hosts: list[str], host: str) -> None:
    named = server(hosts=hosts)
    store.trust(named.der)
    found = verdict(named, host=host)
    assert codes(found) == ["wrong host"]
    has = f"is for {', '.join(hosts)}" if hosts else "names no host at all"
    assert only(found) == f"Wrong host: we connect to {host}, and the certificate {has}"


def test_that_the_application_uri_must_be_that_of_the_server(store: TrustStore, verdict: Judging) -> None:
    good = server()
    store.trust(good.der)
    text = only(verdict(good, application_uri="urn:plc8:server"))
    assert text == 'Wrong application: the server calls itself "urn:plc8:server", and the certificate is for "urn:plc7:server"'
    nameless = server(uri="")
    store.trust(nameless.der)
    assert only(verdict(nameless)).endswith("and the certificate names no application URI")
    assert codes(verdict(nameless, application_uri="")) == []  # TLS knows none


def test_that_case_counts_in_an_application_uri(store: TrustStore, verdict: Judging) -> None:
    good = server()
    store.trust(good.der)
    assert codes(verdict(good, application_uri=URI.upper())) == ["wrong uri"]


# Strength


def test_that_a_short_key_is_weak_but_where_a_legacy_policy_allows_it(store: TrustStore, verdict: Judging) -> None:
    weak = server(key=rsa_key("weak", 1024))
    store.trust(weak.der)
    assert only(verdict(weak)) == 'Weak key: the certificate "PLC7" has a key of 1024 bits (RSA 1024); 2048 is the least that is safe'
    assert verdict(weak, min_bits=1024).accepted


@pytest.mark.parametrize("old", ["SHA-1", "MD5"])
def test_that_a_signature_that_can_be_forged_is_weak(store: TrustStore, verdict: Judging, old: str) -> None:
    weak = signed_with(server(), old)
    store.trust(weak.der)
    assert only(verdict(weak)) == f'Weak signature: the certificate "PLC7" is signed with {old}, with which certificates can be forged'
    assert codes(verdict(forged(weak)))[-2:] == ["bad signature", "weak signature"]


def test_that_a_key_on_an_elliptic_curve_is_not_short(store: TrustStore, verdict: Judging) -> None:
    small = server(key=ec_key())
    store.trust(small.der)
    found = verdict(small)
    assert (found.accepted, found.facts.key) == (True, "EC secp256r1")


def test_that_a_key_that_was_broken_in_public_can_be_accepted_by_nobody(store: TrustStore, verdict: Judging) -> None:
    broken = server(key=ec.generate_private_key(ec.SECP192R1()))
    store.trust(broken.der, accepting=["weak key"])
    found = verdict(broken)
    assert codes(found) == ["weak key"]
    assert not found.problems[0].can_accept


def test_that_a_record_written_by_hand_does_not_overrule_the_gravest(store: TrustStore, verdict: Judging) -> None:
    changed = forged(server())
    record = store.trust(changed.der).path.with_suffix(".json")
    record.write_text('{"accepting":["bad signature"]}')
    assert codes(verdict(changed)) == ["bad signature"]


# Use


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (server(purposes=CLIENT), "it was not made for servers (extendedKeyUsage without serverAuth)"),
        (server(use=("key_encipherment", "data_encipherment")), "its key may not sign messages (keyUsage without digitalSignature)"),
        (server(use=("digital_signature",)), "its key may not encrypt (keyUsage without keyEncipherment and dataEncipherment)"),
        (server(more=[(x509.InhibitAnyPolicy(0), True)]), "it sets conditions that are not understood here (2.5.29.54)"),
    ],
)
def test_that_a_certificate_for_something_else_is_told_why(store: TrustStore, verdict: Judging, made: Made, why: str) -> None:
    store.trust(made.der)
    assert only(verdict(made)) == f'Wrong use: "PLC7" is not a certificate for a server: {why}'


def test_that_tls_asks_less_of_the_key_than_opc_ua(store: TrustStore, verdict: Judging) -> None:
    signing, nothing = server(uri="", use=("digital_signature",)), server(uri="", use=("crl_sign",), serial=8)
    store.trust(signing.der)
    store.trust(nothing.der)
    assert verdict(signing, application_uri="").accepted
    assert "its key may not be used for connections" in only(verdict(nothing, application_uri=""))


def test_that_a_certificate_without_any_extension_may_be_used_for_all(store: TrustStore, verdict: Judging) -> None:
    bare = server(uri="", hosts=(), use=None, purposes=None)
    store.trust(bare.der)
    assert codes(verdict(bare)) == ["wrong host", "wrong uri"]


# Bytes


@pytest.mark.parametrize("sent", [b"", b"hello", b"\x30\x82\xff\xff", server().der[:-1], server().der + b"\0", b"\x30" + b"\0" * 70_000])
def test_that_bytes_that_are_no_certificate_are_never_accepted(verdict: Judging, sent: bytes) -> None:
    found = verdict(sent)
    assert codes(found) == ["not a certificate"]
    assert not found.problems[0].can_accept
    assert found.facts.thumbprint == thumbprint_of(sent)


def test_that_a_server_that_sends_nothing_is_told_so() -> None:
    found = judge(None, [], host=HOST, application_uri=URI, known=Identity(), now_ns=NOW_NS)
    assert only(found) == "The server sent no certificate"


def test_that_a_changed_signature_is_never_accepted(store: TrustStore, verdict: Judging) -> None:
    changed = forged(server())
    store.trust(changed.der)
    found = verdict(changed)
    assert codes(found) == ["bad signature"]
    assert not found.problems[0].can_accept
    assert "its signature is not right: it was changed after it was made" in only(found)


# Another one than before


def test_that_another_certificate_than_the_project_knows_is_told_with_both_thumbprints_and_dates(
    store: TrustStore, verdict: Judging
) -> None:
    old, new = server(), server(key=rsa_key("new"), since=datetime(2026, 6, 1, tzinfo=UTC))
    store.trust(old.der)
    store.trust(new.der)
    known = Identity(thumbprint=thumbprint_of(old.der).lower())
    text = only(verdict(new, known=known))
    assert text == (
        'Changed: the server now shows another certificate. The project knows this server by "PLC7" with thumbprint '
        f"{spaced(thumbprint_of(old.der))} (trusted here on 2026-11-22 12:00 UTC, valid 2026-01-01 00:00 UTC to 2030-01-01 00:00 UTC); "
        f'now it is "PLC7" with thumbprint {spaced(thumbprint_of(new.der))} (valid 2026-06-01 00:00 UTC to 2030-01-01 00:00 UTC)'
    )
    assert verdict(old, known=known).accepted


def test_that_a_change_is_told_also_where_the_old_one_is_not_here(verdict: Judging) -> None:
    found = verdict(server(), known=Identity(thumbprint="A" * 40))
    assert codes(found) == ["changed", "untrusted"]
    assert "AAAA AAAA" in found.problems[0].text
    assert "which is not in the store of this computer" in found.problems[0].text


def test_that_an_accepted_change_holds_for_what_it_replaced_only(store: TrustStore, verdict: Judging) -> None:
    mine, yours, new = server(), server("PLC8", uri="urn:plc8:server", key=rsa_key("plc8")), server(key=rsa_key("new"))
    store.trust(mine.der)
    store.trust(yours.der)
    found = verdict(new, known=Identity(thumbprint=thumbprint_of(mine.der)))
    store.trust(new.der, accepting=[one.acceptance for one in found.problems])
    assert verdict(new, known=Identity(thumbprint=thumbprint_of(mine.der))).accepted
    assert codes(verdict(new, known=Identity(thumbprint=thumbprint_of(yours.der)))) == ["changed"]


def test_that_without_application_uris_the_same_host_tells_a_change(store: TrustStore, verdict: Judging) -> None:
    store.trust(server(uri="").der)
    new = server(uri="", key=rsa_key("new"))
    assert codes(verdict(new, application_uri="")) == ["changed", "untrusted"]
    elsewhere = server(uri="", key=rsa_key("new"), hosts=["plc8"])
    assert codes(verdict(elsewhere, application_uri="", host="plc8")) == ["untrusted"]


def test_that_two_applications_on_one_host_are_no_change(store: TrustStore, verdict: Judging) -> None:
    store.trust(server().der)
    second = server(uri="urn:plc7:second", key=rsa_key("new"))
    assert codes(verdict(second, application_uri="urn:plc7:second")) == ["untrusted"]


# Accepting


def test_that_everything_is_told_at_once_and_can_be_accepted_at_once(store: TrustStore, verdict: Judging) -> None:
    bad = signed_with(server(key=rsa_key("weak", 1024), until=datetime(2026, 2, 1, tzinfo=UTC), hosts=(), purposes=CLIENT), "SHA-1")
    found = verdict(bad, application_uri="urn:other")
    expected = ["untrusted", "expired", "wrong host", "wrong uri", "weak key", "weak signature", "wrong use"]
    assert codes(found) == expected
    known = store.trust(bad.der, accepting=[one.acceptance for one in found.problems if one.can_accept])
    again = verdict(bad, application_uri="urn:other")
    assert again.accepted
    assert [one.code for one in again.problems] == expected[1:]  # still told
    assert known.accepting == ("expired", f"wrong host:{HOST}", "wrong uri:urn:other", "weak key", "weak signature", "wrong use")


def test_that_what_was_accepted_for_one_host_does_not_hold_for_another(store: TrustStore, verdict: Judging) -> None:
    good = server()
    found = verdict(good, host="10.0.4.20")
    store.trust(good.der, accepting=[one.acceptance for one in found.problems])
    assert verdict(good, host="10.0.4.20").accepted
    assert codes(verdict(good, host="10.0.4.21")) == ["wrong host"]


def test_that_a_bare_code_accepts_it_everywhere(store: TrustStore, verdict: Judging) -> None:
    good = server()
    store.trust(good.der, accepting=["wrong host"])
    assert verdict(good, host="10.0.4.20").accepted
    assert verdict(good, host="10.0.4.21").accepted


def test_that_what_is_accepted_for_one_certificate_does_not_help_another(store: TrustStore, verdict: Judging) -> None:
    store.trust(server(until=datetime(2026, 2, 1, tzinfo=UTC)).der, accepting=["expired"])
    other = server("PLC8", uri="urn:plc8:server", until=datetime(2026, 2, 1, tzinfo=UTC), serial=9)
    store.trust(other.der)
    assert codes(verdict(other, application_uri="urn:plc8:server")) == ["expired"]


# The error


def test_that_the_refusal_says_everything_and_carries_the_chain(store: TrustStore, verdict: Judging) -> None:
    ca = authority()
    bad = server(issuer=ca, until=datetime(2026, 2, 1, tzinfo=UTC))
    store.trust(ca.der, accepting=["no revocation list"])
    found = verdict(bad, ca, host="10.0.4.20")
    error = refusal(found, "opc.tcp://10.0.4.20:4840")
    assert (error.code, error.where) == ("certificate", "opc.tcp://10.0.4.20:4840")
    assert split_chain(error.evidence) == (bad.der, ca.der)
    assert [line.partition(":")[0] for line in error.why.splitlines()] == ["Expired", "Wrong host"]  # what was accepted is left out
    assert "Renew it on the server" in error.fix
    assert "Connect to plc7.plant.local" in error.fix


def test_that_the_evidence_of_a_huge_message_is_bounded(verdict: Judging) -> None:
    assert refusal(verdict(b"\x30" * 10_000_000), "x").evidence == b""


def test_that_text_from_a_certificate_is_plain_and_short(verdict: Judging, tmp_path: Path) -> None:
    found = verdict(server("PLC\x1b[2J\u202e7" + "x" * 40))
    assert "\x1b" not in found.problems[0].text
    assert "\u202e" not in found.problems[0].text
