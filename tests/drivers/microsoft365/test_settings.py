"""The keys of a connection, and the files that they name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from pydantic import ValidationError

from placed.driver import SettingsError, Surroundings
from placed.driver.network.tls_and_proxy import ca_bundle, proxy_for
from placed_microsoft365 import Microsoft365
from placed_microsoft365.auth.credential import check_dates, load_credential
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.simulator import make_client_certificate
from tests.drivers.microsoft365.driver_setup import CERTIFICATE
from tests.support.secret_files import write_secret

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 10, 6, tzinfo=UTC)
GUID = "00000000-0000-0000-0000-000000000001"
END_OF_KEY = b"-----END PRIVATE KEY-----\n"
KEY, LEAF = CERTIFICATE.split(END_OF_KEY)[0] + END_OF_KEY, CERTIFICATE.split(END_OF_KEY)[1]


def settings(**changes: Any) -> Microsoft365Settings:
    keys = {
        "name": "contoso",
        "tenant": "contoso.example",
        "client_id": GUID,
        "client_secret_file": "/run/secret",
        "rooms": ["boardroom@contoso.example"],
        **changes,
    }
    return Microsoft365Settings(**{key: value for key, value in keys.items() if value is not None})


@pytest.mark.parametrize(
    ("cloud", "login", "graph"),
    [
        (None, "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("worldwide", "https://login.microsoftonline.com", "https://graph.microsoft.com"),
        ("usgov", "https://login.microsoftonline.us", "https://graph.microsoft.us"),
        ("usgov-dod", "https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
        ("china", "https://login.partner.microsoftonline.cn", "https://microsoftgraph.chinacloudapi.cn"),
    ],
)
def test_a_cloud_has_its_hosts_and_its_scope(
    tmp_path: Path, cloud: str | None, login: str, graph: str
) -> None:
    write_secret(tmp_path / "secret", "s3cret")
    kept = settings(cloud=cloud, client_secret_file=tmp_path / "secret")
    assert (kept.login_url, kept.graph_url) == (login, graph)
    driver = Microsoft365.open(kept, Surroundings(lambda: NOW, 8, False, "1"))  # noqa: FBT003
    registration = driver._graph._tokens._sign_in.args[0].args[0]  # type: ignore[attr-defined]
    assert registration.authority == f"{login}/contoso.example"
    assert registration.scope == f"{graph}/.default"
    assert driver._graph.base_url == graph


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://Graph.Example/", "https://graph.example"),
        ("https://localhost:8443", "https://localhost:8443"),
        ("https://proxy.example/graph/", "https://proxy.example/graph"),
    ],
)
def test_a_host_is_kept_as_graph_writes_it(given: str, kept: str) -> None:
    assert settings(graph=given).graph_url == kept


@pytest.mark.parametrize(
    "address",
    [
        "http://graph.example",
        "graph.example",
        "https://",
        "https://graph.example:port",
        "https://graph.example:99999",
        "https://ada:secret@graph.example",
        "https://graph.example?x=1",
        "https://[graph.example",
    ],
)
def test_what_is_no_host_is_refused(address: str) -> None:
    with pytest.raises(ValidationError, match="https://host"):
        settings(graph=address)


@pytest.mark.parametrize(
    "changes",
    [
        {"certificate": "/run/certificate"},
        {"client_secret_file": None},
        {"rooms": None},
        {"room_group": "placed-rooms@contoso.example"},
        {"rooms": None, "room_group": "a", "room_list": "*"},
        {"rooms": ["boardroom"]},
        {"rooms": ["board room@contoso.example"]},
        {"tenant": "contoso/evil"},
        {"client_id": "a secret?"},
        {"cloud": "moon"},
        {"colour": "green"},
        {"fence": {"canaries": ["ada"]}},
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**changes)


def credential(tmp_path: Path, content: bytes, key: str = "certificate") -> Any:
    file = tmp_path / "credential"
    write_secret(file, content)
    changes = {"client_secret_file": None, key: file}
    kept = settings(**changes)
    found = load_credential(kept)
    check_dates(kept, found, NOW)
    return found


def private(key: Any, password: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    encoded: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return encoded


@pytest.mark.parametrize("content", [KEY + LEAF, LEAF + KEY, KEY + b"\xff\xfe B\xfcro\n" + LEAF])
def test_key_and_certificate_may_stand_in_any_order_and_company(tmp_path: Path, content: bytes) -> None:
    kept = credential(tmp_path, content)
    assert kept.for_msal["public_certificate"].encode() == LEAF
    assert kept.expires_at == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=3650)
    assert "PRIVATE" not in repr(kept)


def test_of_a_chain_the_leaf_is_taken(tmp_path: Path) -> None:
    other = make_client_certificate("issuer", key_size=2048).split(END_OF_KEY)[1]
    assert credential(tmp_path, KEY + other + LEAF).for_msal["public_certificate"].encode() == LEAF


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no private key"),
        (LEAF, "no private key"),
        (KEY, "no certificate"),
        (private(ec.generate_private_key(ec.SECP256R1())) + LEAF, "no RSA key"),
        (private(rsa.generate_private_key(65537, 2048)) + LEAF, "does not belong"),
        (private(rsa.generate_private_key(65537, 2048), b"pass") + LEAF, "passphrase"),
        (make_client_certificate(key_size=2048, valid_from=NOW - timedelta(days=400)), "expired on"),
        (make_client_certificate(key_size=2048, valid_from=NOW + timedelta(days=2)), "valid only from"),
    ],
)
def test_an_invalid_certificate_is_reported(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem) as error:
        credential(tmp_path, content)
    assert error.value.problem.key == "certificate"


@pytest.mark.parametrize("number", ["d", "dmp1", "dmq1", "iqmp"])
def test_a_damaged_private_key_is_reported(tmp_path: Path, number: str) -> None:
    key = load_pem_private_key(KEY, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    kept = key.private_numbers()
    numbers = {name: getattr(kept, name) for name in ("p", "q", "d", "dmp1", "dmq1", "iqmp")}
    numbers[number] ^= 4
    damaged = rsa.RSAPrivateNumbers(**numbers, public_numbers=kept.public_numbers)
    with pytest.raises(SettingsError, match="the private key is damaged"):
        credential(tmp_path, private(damaged.private_key(unsafe_skip_rsa_key_validation=True)) + LEAF)


@pytest.mark.parametrize(
    ("content", "kept"),
    [(b"s3cret", "s3cret"), (b"s3cret\r\n", "s3cret"), (b"\xef\xbb\xbfs3cret\n", "s3cret")],
)
def test_a_secret_is_the_text_of_its_file(tmp_path: Path, content: bytes, kept: str) -> None:
    found = credential(tmp_path, content, "client_secret_file")
    assert found.for_msal == kept
    assert kept not in repr(found)


@pytest.mark.parametrize(("content", "problem"), [(b" \n", "is empty"), (b"\xff\xfes\x00", "no text")])
def test_an_invalid_secret_is_reported(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        credential(tmp_path, content, "client_secret_file")


@pytest.mark.parametrize("key", ["certificate", "client_secret_file", "ca_file"])
def test_a_missing_file_is_reported(tmp_path: Path, key: str) -> None:
    write_secret(tmp_path / "secret", "s3cret")
    changes = {"client_secret_file": tmp_path / "secret" if key == "ca_file" else None}
    kept = settings(**{**changes, key: tmp_path / "nothing"})
    with pytest.raises(SettingsError, match="cannot be read") as error:
        Microsoft365.open(kept, Surroundings(lambda: NOW, 8, False, "1"))  # noqa: FBT003
    assert error.value.problem.key == key


def test_a_ca_file_without_a_certificate_is_reported(tmp_path: Path) -> None:
    write_secret(tmp_path / "secret", "s3cret")
    (tmp_path / "ca.pem").write_text("nothing")
    kept = settings(client_secret_file=tmp_path / "secret", ca_file=tmp_path / "ca.pem")
    with pytest.raises(SettingsError, match="no CA certificate"):
        Microsoft365.open(kept, Surroundings(lambda: NOW, 8, False, "1"))  # noqa: FBT003


def test_login_and_graph_trust_the_same_cas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca = tmp_path / "ca.pem"
    ca.write_bytes(LEAF)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    assert ca_bundle(ca) == str(ca)
    monkeypatch.setenv("SSL_CERT_FILE", str(ca))  # as OpenSSL's own, the system's
    assert ca_bundle(None) == str(ca)


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({}, None),
        ({"https_proxy": "http://proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": ""}, None),
        ({"https_proxy": "  "}, None),
        ({"https_proxy": "http://proxy.example:3128", "no_proxy": "graph.example"}, None),
    ],
)
def test_the_proxy_of_the_environment_is_used(
    environment: dict[str, str], proxy: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://graph.example/v1.0") == proxy
