"""Certificates that a CA issued: every link is checked, and nothing is trusted through one that is not right."""

from datetime import UTC, datetime

import pytest
from cryptography import x509

from app.errors import UserError
from app.model.plant import Identity
from app.trust.facts import MAX_CHAIN, thumbprint_of
from app.trust.judge import Verdict
from app.trust.store import TrustStore
from tests.certificates import (
    CLIENT,
    NOW_NS,
    URI,
    Made,
    authority,
    ec_key,
    forged,
    revocations,
    rsa_key,
    server,
    signed_with,
)
from tests.unit.trust.conftest import Judging, codes

OLD = datetime(2026, 2, 1, tzinfo=UTC)


def texts(found: Verdict) -> str:
    return "\n".join(one.text for one in found.problems if not one.accepted)


@pytest.fixture
def ca(store: TrustStore) -> Made:
    """Trusted, with a revocation list that is up to date and empty."""
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made))
    return made


# Trusted through a CA


def test_that_what_a_trusted_ca_issued_is_accepted_with_or_without_the_ca_in_the_chain(verdict: Judging, ca: Made) -> None:
    issued = server(issuer=ca)
    assert verdict(issued, ca).accepted
    assert verdict(issued).accepted


def test_that_an_intermediate_is_taken_from_the_chain_or_from_the_store(store: TrustStore, verdict: Judging, ca: Made) -> None:
    between = authority("Line CA", issuer=ca, serial=2)
    store.add_crl(revocations(between))
    issued = server(issuer=between)
    assert verdict(issued, ca, between).accepted  # in any order
    assert codes(verdict(issued)) == ["untrusted", "incomplete chain"]
    store.add_issuer(between.der)
    assert verdict(issued).accepted


def test_that_a_chain_without_end_names_who_is_missing(verdict: Judging) -> None:
    between = authority("Line CA", issuer=authority(), serial=2)
    found = verdict(server(issuer=between), between)
    assert codes(found) == ["untrusted", "incomplete chain", "no revocation list"]
    assert 'Incomplete chain: "Line CA" in its chain was issued by "CN=Plant CA"' in texts(found)


def test_that_an_issuer_in_the_store_is_not_trusted_by_that(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.add_issuer(made.der)
    store.add_crl(revocations(made))
    found = verdict(server(issuer=made))
    assert codes(found) == ["untrusted"]
    assert 'at the top of its chain stands "Plant CA"' in texts(found)


def test_that_a_trusted_intermediate_needs_nothing_above_it(store: TrustStore, verdict: Judging) -> None:
    between = authority("Line CA", issuer=authority(), serial=2)
    store.trust(between.der, accepting=["no revocation list"])
    assert verdict(server(issuer=between)).accepted


def test_that_a_ca_of_another_kind_of_key_is_as_good(store: TrustStore, verdict: Judging) -> None:
    made = authority(key=ec_key("ca"))
    store.trust(made.der)
    store.add_crl(revocations(made))
    assert verdict(server(issuer=made)).accepted


def test_that_a_ca_that_renewed_its_key_under_the_same_name_is_found(store: TrustStore, verdict: Judging, ca: Made) -> None:
    renewed = authority(key=rsa_key("renewed"), serial=3)
    store.trust(renewed.der, accepting=["no revocation list"])
    assert verdict(server(issuer=renewed)).accepted
    assert verdict(server(issuer=ca)).accepted


# Not trusted through it


def test_that_a_server_that_calls_itself_a_ca_does_not_vouch_for_others(store: TrustStore, verdict: Judging) -> None:
    """Some libraries make every server's own certificate a CA; trusting such a server trusts that server."""
    boss = server("Boss", ca=True, uri="urn:boss", key=rsa_key("boss"), use=("digital_signature", "key_encipherment", "key_cert_sign"))
    store.trust(boss.der, accepting=["no revocation list"])
    found = verdict(server(issuer=boss), boss)
    assert "untrusted" in codes(found)
    assert not found.accepted


def test_that_a_server_cannot_issue_certificates(verdict: Judging, ca: Made) -> None:
    thief = server("Thief", issuer=ca, uri="urn:thief", key=rsa_key("thief"), serial=66)
    found = verdict(server(issuer=thief), thief, ca)
    assert "untrusted" in codes(found)
    assert 'Wrong use: "Thief" issued "PLC7" and may not: it is not that of a CA (basicConstraints)' in texts(found)


@pytest.mark.parametrize(
    ("between", "why"),
    [
        ({"use": ("crl_sign",)}, "its key may not sign certificates (keyUsage without keyCertSign)"),
        ({"ca": False}, "it is not that of a CA (basicConstraints)"),
        ({"purposes": CLIENT}, "it may not be used for servers (extendedKeyUsage without serverAuth)"),
        ({"more": [(x509.NameConstraints([x509.DNSName("other")], None), True)]}, "conditions that are not understood here (2.5.29.30)"),
    ],
)
def test_that_nothing_is_trusted_through_an_issuer_that_may_not(
    store: TrustStore, verdict: Judging, ca: Made, between: dict[str, object], why: str
) -> None:
    middle = authority("Line CA", issuer=ca, serial=2, **between)  # type: ignore[arg-type]  # one of its arguments
    store.add_crl(revocations(middle))
    found = verdict(server(issuer=middle), middle)
    assert codes(found) == ["untrusted", "wrong use"]
    assert why in texts(found)
    store.trust(ca.der, accepting=["wrong use"])
    assert not verdict(server(issuer=middle), middle).accepted


def test_that_a_ca_may_limit_the_cas_below_it(store: TrustStore, verdict: Judging) -> None:
    top = authority(path_length=0)
    middle = authority("Line CA", issuer=top, serial=2)
    store.trust(top.der)
    for one in (top, middle):
        store.add_crl(revocations(one))
    assert verdict(server(issuer=top)).accepted
    found = verdict(server(issuer=middle), middle)
    assert codes(found) == ["untrusted", "wrong use"]
    assert "it allows 0 more CAs below it, and here are 1 (pathLenConstraint)" in texts(found)


def test_that_a_link_that_was_not_signed_is_never_accepted(store: TrustStore, verdict: Judging, ca: Made) -> None:
    false = forged(server(issuer=ca))
    found = verdict(false, ca)
    assert codes(found) == ["untrusted", "bad signature"]
    assert 'says that it was issued by "CN=Plant CA", but the certificate of this name did not sign it' in texts(found)
    store.trust(false.der)
    assert codes(verdict(false, ca)) == ["bad signature"]


def test_that_a_forged_intermediate_is_never_accepted(verdict: Judging, ca: Made) -> None:
    middle = authority("Line CA", issuer=ca, serial=2)
    found = verdict(server(issuer=middle), forged(middle), ca)
    assert "bad signature" in codes(found)
    assert 'Bad signature: "Line CA" in its chain' in texts(found)


def test_that_another_ca_of_the_same_name_is_a_missing_one(verdict: Judging, ca: Made) -> None:
    other = Made(authority(key=rsa_key("other")).der, rsa_key("other"))
    assert codes(verdict(server(issuer=other))) == ["untrusted", "incomplete chain"]


def test_that_a_weak_or_old_ca_is_told_by_its_name(store: TrustStore, verdict: Judging, ca: Made) -> None:
    middle = authority("Line CA", issuer=ca, serial=2, until=OLD, key=rsa_key("weak", 1024))
    store.add_crl(revocations(middle))
    found = verdict(server(issuer=middle), signed_with(middle, "SHA-1", rsa_key("Plant CA")))
    assert codes(found) == ["expired", "weak key", "weak signature"]
    assert 'Expired: "Line CA" in its chain was valid until 2026-02-01 00:00 UTC' in texts(found)
    assert 'Weak key: "Line CA" in its chain has a key of 1024 bits' in texts(found)
    assert 'Weak signature: "Line CA" in its chain is signed with SHA-1' in texts(found)


def test_that_how_a_trusted_root_signed_itself_does_not_matter(store: TrustStore, verdict: Judging) -> None:
    old = signed_with(authority(), "SHA-1")
    store.trust(old.der, accepting=["no revocation list"])
    assert verdict(server(issuer=old)).accepted


def test_that_a_refused_ca_refuses_all_it_issued(store: TrustStore, verdict: Judging, ca: Made) -> None:
    issued = server(issuer=ca)
    store.trust(issued.der)
    store.refuse(ca.der)
    found = verdict(issued, ca)
    assert codes(found) == ["refused"]
    assert 'never to accept "Plant CA", which stands in its chain' in texts(found)


def test_that_a_ca_that_is_trusted_does_not_hide_a_change(verdict: Judging, ca: Made) -> None:
    old, new = server(issuer=ca), server(issuer=ca, key=rsa_key("new"), serial=8)
    found = verdict(new, known=Identity(thumbprint=thumbprint_of(old.der)))
    assert codes(found) == ["changed"]


def test_that_a_certificate_trusted_itself_still_needs_an_unbroken_chain_or_a_word_about_it(store: TrustStore, verdict: Judging) -> None:
    issued = server(issuer=authority())
    store.trust(issued.der)
    found = verdict(issued)
    assert codes(found) == ["incomplete chain"]
    assert found.problems[0].can_accept
    store.trust(issued.der, accepting=["incomplete chain"])
    assert verdict(issued).accepted


# Strange chains


def test_that_a_chain_of_too_many_links_comes_to_an_end(store: TrustStore, verdict: Judging) -> None:
    chain = [authority("CA 0", key=rsa_key("long"))]
    for number in range(1, MAX_CHAIN + 5):
        chain.append(authority(f"CA {number}", key=rsa_key("long"), issuer=chain[-1], serial=number))
        store.add_issuer(chain[-1].der)
    store.trust(chain[0].der)
    found = verdict(server(issuer=chain[-1]), *reversed(chain))
    assert {"untrusted", "incomplete chain"} <= set(codes(found))
    assert len(found.chain) == MAX_CHAIN


def test_that_two_cas_that_issued_each_other_come_to_an_end(store: TrustStore, verdict: Judging) -> None:
    one, two = authority("One"), authority("Two")
    crossed = [authority("One", issuer=two), authority("Two", issuer=one)]
    found = verdict(server(issuer=one), *crossed)
    assert "untrusted" in codes(found)
    assert "incomplete chain" in codes(found)


def test_that_rubbish_in_the_chain_changes_nothing(verdict: Judging, ca: Made) -> None:
    assert verdict(server(issuer=ca), b"rubbish", b"", ca).accepted


# Revocation


def test_that_a_revoked_certificate_is_told_with_who_when_and_why(store: TrustStore, verdict: Judging, ca: Made) -> None:
    issued = server(issuer=ca, serial=0xBAD)
    store.add_crl(revocations(ca, 0xBAD, since=OLD))
    found = verdict(issued)
    assert codes(found) == ["revoked"]
    assert texts(found) == (
        'Revoked: "Plant CA" no longer stands for "PLC7" (serial number BAD) since 2026-02-01 00:00 UTC (keyCompromise)'
    )
    assert not found.problems[0].can_accept
    store.trust(issued.der)
    assert codes(verdict(issued)) == ["revoked"]


def test_that_nobody_can_accept_what_is_revoked(store: TrustStore) -> None:
    with pytest.raises(UserError) as error:
        store.trust(server().der, accepting=["expired", "revoked"])
    assert "revoked: nobody may overrule that" in error.value.why
    assert store.trusted() == []


def test_that_a_revoked_ca_takes_what_it_issued_with_it(store: TrustStore, verdict: Judging, ca: Made) -> None:
    middle = authority("Line CA", issuer=ca, serial=22)
    store.add_crl(revocations(middle))
    store.add_crl(revocations(ca, 22, since=OLD))
    found = verdict(server(issuer=middle), middle)
    assert codes(found) == ["revoked"]
    assert '"Plant CA" no longer stands for "Line CA"' in texts(found)


def test_that_the_serial_number_of_another_ca_revokes_nothing(store: TrustStore, verdict: Judging, ca: Made) -> None:
    other = authority("Other CA")
    store.add_crl(revocations(other, 7))
    assert verdict(server(issuer=ca, serial=7)).accepted


@pytest.mark.parametrize("revoked", [(), (7,)])
def test_that_a_list_that_the_ca_did_not_sign_does_not_count_and_is_told(
    store: TrustStore, verdict: Judging, revoked: tuple[int, ...]
) -> None:
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made, *revoked, signer=rsa_key("stranger")))
    found = verdict(server(issuer=made, serial=7))
    assert codes(found) == ["no revocation list"]
    assert texts(found).endswith("the revocation list of this name was not signed by this CA, and does not count")


def test_that_a_list_under_another_name_does_not_count(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made, named="Other CA"))
    assert codes(verdict(server(issuer=made))) == ["no revocation list"]


def test_that_a_list_out_of_date_is_told_with_its_date_and_still_revokes(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made, 66, due=OLD))
    found = verdict(server(issuer=made, serial=7))
    assert codes(found) == ["no revocation list"]
    assert texts(found).endswith("its revocation list is out of date since 2026-02-01 00:00 UTC")
    assert codes(verdict(server(issuer=made, serial=66))) == ["revoked"]


def test_that_a_list_of_tomorrow_does_not_count_yet(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made, since=datetime(2026, 12, 1, tzinfo=UTC)))
    assert texts(verdict(server(issuer=made))).endswith("its revocation list begins only on 2026-12-01 00:00 UTC")


def test_that_the_newest_list_counts(store: TrustStore, verdict: Judging, ca: Made) -> None:
    store.add_crl(revocations(ca, 7, since=datetime(2026, 1, 2, tzinfo=UTC)))
    store.add_crl(revocations(ca, since=datetime(2026, 1, 3, tzinfo=UTC)))  # taken back
    assert verdict(server(issuer=ca, serial=7)).accepted


def test_that_a_partial_list_revokes_but_is_not_enough(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    store.add_crl(revocations(made, 66, more=[(x509.DeltaCRLIndicator(1), True)]))
    assert codes(verdict(server(issuer=made, serial=66))) == ["revoked"]
    assert codes(verdict(server(issuer=made, serial=7))) == ["no revocation list"]


def test_that_a_missing_list_is_asked_for_once_per_ca(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    found = verdict(server(issuer=made))
    assert codes(found) == ["no revocation list"]
    assert texts(found) == (
        'No revocation list: "PLC7" was issued by "Plant CA", and whether it was revoked since is not known: '
        "no revocation list of this CA is here"
    )
    store.trust(made.der, accepting=[found.problems[0].acceptance])
    assert verdict(server(issuer=made)).accepted
    assert verdict(server("PLC8", issuer=made, uri="urn:8", serial=8), application_uri="urn:8").accepted


def test_that_what_was_accepted_with_a_ca_is_about_the_ca_only(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der, accepting=["no revocation list", "expired", "wrong host"])
    found = verdict(server(issuer=made, until=OLD), host="elsewhere")
    assert codes(found) == ["expired", "wrong host"]
    old = authority("Old CA", until=OLD)
    store.trust(old.der, accepting=["no revocation list", "expired"])
    assert verdict(server(issuer=old)).accepted


def test_that_a_missing_list_can_be_accepted_for_one_server_only(store: TrustStore, verdict: Judging) -> None:
    made = authority()
    store.trust(made.der)
    one, other = server(issuer=made), server("PLC8", issuer=made, uri="urn:8", serial=8)
    store.trust(one.der, accepting=["no revocation list"])
    assert verdict(one).accepted
    assert codes(verdict(other, application_uri="urn:8")) == ["no revocation list"]


def test_that_a_self_signed_certificate_is_asked_for_no_list(store: TrustStore, verdict: Judging) -> None:
    store.trust(server().der)
    assert verdict(server(), application_uri=URI, now_ns=NOW_NS).problems == ()
