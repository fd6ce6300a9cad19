import struct
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from hypothesis import given, settings
from hypothesis import strategies as st

from app.drivers.opcua.session_tokens import choose_token, encrypted_password, identification
from app.errors import EndpointError
from app.model.plant import Security
from app.trust.users import UserCertificate
from tests.peers.opcua_certificates import Made, certificate
from tests.unit.drivers.opcua.descriptions import URL, endpoint, token

PASSWORD = Security(user="password", name="operator")
OAEP_1 = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
OAEP_256 = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
PADDINGS = {
    "Aes256_Sha256_RsaPss": OAEP_256,
    "Aes128_Sha256_RsaOaep": OAEP_1,
    "Basic256Sha256": OAEP_1,
    "Basic256": OAEP_1,
    "Basic128Rsa15": padding.PKCS1v15(),
}
NONCE = bytes(range(32))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return certificate(tmp_path_factory.mktemp("server"), "server")


@pytest.mark.parametrize("policy", PADDINGS)
@settings(max_examples=20)
@given(password=st.text(max_size=600))
def test_that_the_server_reads_length_password_and_nonce_whatever_the_length(server: Made, policy: str, password: str) -> None:
    encrypted = encrypted_password(password, NONCE, server.der, policy)
    blocks = [encrypted[start : start + 256] for start in range(0, len(encrypted), 256)]
    plain = b"".join(server.key.decrypt(block, PADDINGS[policy]) for block in blocks)
    secret = password.encode() + NONCE
    assert plain == struct.pack("<I", len(secret)) + secret
    assert len(password) < 5 or password.encode() not in encrypted


@pytest.mark.parametrize(
    ("policy", "mode", "offered", "chosen"),
    [
        ("None", 1, ("None", "Basic128Rsa15", "Basic256Sha256"), "Basic256Sha256"),
        ("Basic256Sha256", 2, ("", "Aes256_Sha256_RsaPss"), "Aes256_Sha256_RsaPss"),
        ("Basic256Sha256", 2, ("",), "Basic256Sha256"),
        ("Basic256Sha256", 3, ("None",), "None"),
        ("Basic256Sha256", 3, ("None", "ECC_nistP256", "Basic256"), "Basic256"),
    ],
)
def test_that_the_best_protected_token_is_taken(policy: str, mode: int, offered: tuple[str, ...], chosen: str) -> None:
    tokens = tuple(token(1, one, f"t{number}") for number, one in enumerate(offered))
    choice = choose_token(URL, endpoint(policy, mode, tokens=tokens), PASSWORD)
    assert choice.protection == chosen
    assert choice.id == f"t{offered.index(chosen) if chosen in offered else offered.index('')}"
    assert choice.needs_certificate == (chosen != "None")


@pytest.mark.parametrize(
    ("policy", "mode", "offered", "why"),
    [
        ("None", 1, ("None",), "in clear text"),
        ("None", 1, ("",), "in clear text"),
        ("Basic256Sha256", 2, ("None",), "in clear text"),
        ("None", 1, ("ECC_nistP256", "ECC_nistP384"), "ECC_nistP256 or ECC_nistP384, which this program does not know|ECC_nistP384 or"),
        ("Basic256Sha256", 3, ("ECC_nistP256",), "which this program does not know"),
    ],
)
def test_that_a_password_that_nothing_encrypts_is_refused(policy: str, mode: int, offered: tuple[str, ...], why: str) -> None:
    with pytest.raises(EndpointError, match=why) as refused:
        choose_token(URL, endpoint(policy, mode, tokens=tuple(token(1, one) for one in offered)), PASSWORD)
    assert "SignAndEncrypt" in refused.value.fix


def test_that_a_user_certificate_is_never_sent_without_a_signature() -> None:
    bare = endpoint("Basic256Sha256", 3, tokens=(token(2, "None"),))
    with pytest.raises(EndpointError, match="without a signature"):
        choose_token(URL, bare, Security(user="certificate", name="anna"))


def test_that_of_two_tokens_with_one_policy_the_first_is_taken() -> None:
    twice = endpoint(
        "Basic256Sha256", 3, tokens=(token(1, "Basic256", "a"), token(1, "Basic256", "b"), token(0, "", "x"), token(0, "", "y"))
    )
    assert choose_token(URL, twice, PASSWORD).id == "a"
    assert choose_token(URL, twice, Security()).id == "x"
    assert choose_token(URL, endpoint(users=()), Security()).id is None


@pytest.mark.parametrize("policy", PADDINGS)
def test_that_a_user_certificate_signs_the_servers_certificate_and_nonce(tmp_path: Path, server: Made, policy: str) -> None:
    anna = certificate(tmp_path, "Anna", hosts=())
    choice = choose_token(URL, endpoint(policy, 2, tokens=(token(2, "", "c"),)), Security(user="certificate", name="anna"))
    user = UserCertificate("anna", anna.der, anna.key, "")
    told, signature = identification(choice, password="", certificate=user, server=server.der, server_nonce=NONCE)
    assert (told.PolicyId, told.CertificateData) == ("c", anna.der)  # type: ignore[union-attr]  # an X509IdentityToken
    kind = hashes.SHA1() if policy in ("Basic256", "Basic128Rsa15") else hashes.SHA256()
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    made = pss if policy == "Aes256_Sha256_RsaPss" else padding.PKCS1v15()
    anna.key.public_key().verify(signature.Signature, server.der + NONCE, made, kind)
