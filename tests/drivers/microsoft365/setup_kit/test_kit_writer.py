"""What is in the kit's folder, beside the scripts."""

from __future__ import annotations

import json
import os
import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from placed.driver import KitError, kit_files
from placed_microsoft365.auth.application_permissions import APP_ROLES
from placed_microsoft365.clouds import Cloud
from placed_microsoft365.settings import Microsoft365Settings
from placed_microsoft365.setup_kit import answers_of, key_and_certificate, questions, write_kit
from placed_microsoft365.setup_kit.app_manifest import manifest
from placed_microsoft365.setup_kit.questionnaire import understand
from placed_microsoft365.simulator import make_client_certificate
from tests.drivers.microsoft365.driver_setup import BOARDROOM, outcomes
from tests.drivers.microsoft365.setup_kit.sample_kits import (
    CLIENT_ID,
    GIVEN,
    KINDS,
    NOW,
    ROOMS,
    SOURCES,
    write,
)

if TYPE_CHECKING:
    from tests.drivers.microsoft365.driver_setup import DriverSetup

YEAR = timedelta(days=365)


def content(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Bytes, mode and time of every file."""
    return {
        path.name: (path.read_bytes(), path.stat().st_mode, path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def problems(error: KitError) -> list[tuple[str, str]]:
    return [(problem.key, problem.at("").line) for problem in error.problems]


# --- key and certificate ------------------------------------------------------------------------------------


def test_the_key_is_strong_and_its_own_and_lasts_a_year(tmp_path: Path) -> None:
    write(tmp_path / "kit", quick=False)
    pem = (tmp_path / "kit" / "contoso.pem").read_bytes()
    key = load_pem_private_key(pem, password=None)
    assert isinstance(key, RSAPrivateKey)
    assert key.key_size >= 3072
    (certificate,) = x509.load_pem_x509_certificates(pem)
    assert certificate.public_key() == key.public_key()
    assert certificate.issuer == certificate.subject
    assert isinstance(certificate.signature_hash_algorithm, SHA256)
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc == YEAR
    assert certificate.not_valid_before_utc <= NOW < certificate.not_valid_after_utc <= NOW + YEAR
    alone = (tmp_path / "kit" / "contoso.crt").read_bytes()
    assert x509.load_pem_x509_certificate(alone) == certificate
    assert b"PRIVATE" not in alone


def test_only_the_owner_may_read_the_key_with_any_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    plain = os.open

    def watched(path: Path, flags: int, mode: int = 0o777, **other: Any) -> int:
        descriptor = plain(path, flags, mode, **other)
        if flags & os.O_CREAT:
            seen.append(os.fstat(descriptor).st_mode & 0o777)
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    before = os.umask(0)
    try:
        kit = write(tmp_path / "kit", quick=False)
    finally:
        os.umask(before)
    assert set(seen) == {0o600}  # from the moment that there is a file
    modes = {file.path.name: file.path.stat().st_mode & 0o777 for file in kit.files}
    assert {name for name, mode in modes.items() if mode == 0o600} == {"contoso.pem"}
    assert {name for name, mode in modes.items() if mode == 0o755} == {"register.sh"}
    assert set(modes.values()) == {0o600, 0o755, 0o644}
    assert (tmp_path / "kit").stat().st_mode & 0o777 == 0o700


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    first = write(tmp_path / "kit", quick=False)
    before = content(tmp_path / "kit")
    assert {file.path.name for file in first.files} == before.keys()
    assert write(tmp_path / "kit", now=NOW + timedelta(days=30)) == first
    assert content(tmp_path / "kit") == before


def test_a_second_run_keeps_the_key_and_takes_other_answers(tmp_path: Path) -> None:
    write(tmp_path)
    key = (tmp_path / "contoso.pem").read_bytes()
    write(tmp_path, time_zone="Europe/Paris", fence__kind="access-policy")
    assert (tmp_path / "contoso.pem").read_bytes() == key
    assert "Europe/Paris" in (tmp_path / "placed.toml").read_text()


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    (tmp_path / "contoso.pem").write_text("no key of ours")
    with pytest.raises(KitError, match="holds no RSA key with its certificate; it is left alone"):
        write(tmp_path)
    assert content(tmp_path).keys() == {"contoso.pem"}
    with pytest.raises(KitError, match="File exists"):
        kit_files.write_new(tmp_path / "contoso.pem", b"", 0o600)
    assert (tmp_path / "contoso.pem").read_text() == "no key of ours"
    assert content(tmp_path).keys() == {"contoso.pem"}


def test_the_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    mine, other = (make_client_certificate(key_size=2048) for _ in range(2))
    end = b"-----END PRIVATE KEY-----\n"
    (tmp_path / "contoso.pem").write_bytes(mine.partition(end)[0] + end + other.partition(end)[2])
    with pytest.raises(KitError, match="holds no RSA key with its certificate"):
        write(tmp_path)


def test_renewing_adds_a_pair_and_leaves_the_old_one_in_use(tmp_path: Path) -> None:
    write(tmp_path)
    old = (tmp_path / "contoso.pem").read_bytes()
    later = NOW + timedelta(days=340)
    kit = write(tmp_path, now=later, renew=True, quick=False)
    assert (tmp_path / "contoso.pem").read_bytes() == old
    names = [file.path.name for file in kit.files]
    assert {"contoso.pem", "contoso.crt", "contoso-2028-10.pem", "contoso-2028-10.crt"} <= {*names}
    assert {"retire-certificate.sh", "retire-certificate.ps1"} <= {*names}
    assert (tmp_path / "contoso-2028-10.pem").stat().st_mode & 0o777 == 0o600
    table = (tmp_path / "placed.toml").read_text()
    assert tomllib.loads(table)["connections"][0]["certificate"] == str(tmp_path / "contoso.pem")
    assert "contoso-2028-10.pem" in table
    # Asked again, it does not make yet another one.
    before = content(tmp_path)
    assert write(tmp_path, now=later + timedelta(hours=1), renew=True, quick=False) == kit
    assert content(tmp_path) == before
    # When the old one is taken away, the new one is in use.
    (tmp_path / "contoso.pem").unlink()
    write(tmp_path, now=later)
    table = (tmp_path / "placed.toml").read_text()
    assert tomllib.loads(table)["connections"][0]["certificate"] == str(tmp_path / "contoso-2028-10.pem")


def test_an_expired_certificate_is_reported_and_renewed(tmp_path: Path) -> None:
    write(tmp_path)
    later = NOW + timedelta(days=400)
    with pytest.raises(KitError, match=r"contoso\.pem expired on 2027-11-25; --renew makes another"):
        write(tmp_path, now=later)
    kit = write(tmp_path, now=later, renew=True)
    assert "contoso.pem" not in [file.path.name for file in kit.files]
    assert "contoso.crt" not in (tmp_path / "register.sh").read_text()


async def test_while_renewing_placed_signs_in_with_either_certificate(
    driver_setup: DriverSetup, tmp_path: Path
) -> None:
    """Both are registered, as register does it; then the old one is taken away."""
    driver_setup.clock.moment = now = datetime.now(
        UTC
    )  # MSAL's times are the machine's, and so are the login host's
    write(tmp_path / "kit", now=now - timedelta(days=340))
    write(tmp_path / "kit", now=now, renew=True)
    old, new = key_and_certificate.found("contoso", tmp_path / "kit")
    app = driver_setup.tenant.register_app(certificates=[old.public, new.public], roles=["Calendars.Read"])
    for one in (old, new):
        driver = driver_setup.open(
            client_id=app.client_id,
            client_secret_file=None,
            certificate=tmp_path / "kit" / f"{one.name}.pem",
        )
        assert outcomes(await driver_setup.read(driver, BOARDROOM)) == ["read"]
        assert driver.credential_expires_at == one.expires


def test_the_readme_shows_the_certificate_as_the_portal_does(tmp_path: Path) -> None:
    write(tmp_path)
    (one,) = key_and_certificate.found("contoso", tmp_path)
    readme = (tmp_path / "README.md").read_text()
    assert re.fullmatch("[0-9A-F]{40}", one.thumbprint)
    assert one.thumbprint in readme
    assert one.sha256 in readme
    assert "2027-11-25" in readme


# --- the manifest -------------------------------------------------------------------------------------------


@given(
    kind=st.sampled_from(KINDS),
    source=st.sampled_from(sorted(SOURCES)),
    cloud=st.sampled_from([cloud.value for cloud in Cloud]),
    client_id=st.sampled_from(["", CLIENT_ID]),
    canaries=st.lists(st.from_regex(r"[a-z]{1,8}@fabrikam\.com", fullmatch=True), min_size=1, max_size=3),
)
@settings(deadline=None)
def test_the_registration_requests_only_needed_permissions(
    kind: str, source: str, cloud: str, client_id: str, canaries: list[str]
) -> None:
    answers = {
        **GIVEN,
        **SOURCES[source],
        "fence.kind": kind,
        "fence.canaries": ",".join(canaries),
        "cloud": cloud,
        "client_id": client_id,
    }
    made = manifest(understand("contoso", answers, Path("contoso.pem")))
    asked = made["requiredResourceAccess"]
    names = {role.id: name for name, role in APP_ROLES.items()}
    roles = [role for resource in asked for role in resource["resourceAccess"]]
    expected = [] if kind == "rbac" else ["Calendars.Read"]
    expected += {"room_group": ["GroupMember.Read.All"], "rooms": []}.get(source, ["Place.Read.All"])
    assert [names[role["id"]] for role in roles] == expected
    assert all(role["type"] == "Role" for role in roles)
    assert all(resource["resourceAppId"] == "00000003-0000-0000-c000-000000000000" for resource in asked)
    assert made["signInAudience"] == "AzureADMyOrg"
    assert "Write" not in json.dumps([names[role["id"]] for role in roles])


def test_the_manifest_and_the_scripts_ask_for_the_same(tmp_path: Path) -> None:
    write(tmp_path, fence__kind="access-policy", room_list="*")
    asked = json.loads((tmp_path / "manifest.json").read_text())["requiredResourceAccess"]
    for name in ("register.sh", "register.ps1"):
        assert json.dumps(asked, separators=(",", ":")) in (tmp_path / name).read_text()


def test_an_unwritable_folder_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answers: Any = {**GIVEN, **ROOMS}
    with pytest.raises(KitError, match="file/kit cannot be written") as error:
        write_kit("contoso", answers, tmp_path / "file" / "kit", now=NOW, renew=False)
    assert [problem.key for problem in error.value.problems] == [""]


# --- what it prints -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", SOURCES)
def test_the_readme_lists_the_steps_and_has_no_placeholder(kind: str, source: str, tmp_path: Path) -> None:
    kit = write(tmp_path, SOURCES[source], fence__kind=kind)
    readme = (tmp_path / "README.md").read_text()
    assert "@@" not in readme
    named = set(re.findall(r"[\w-]+\.(?:ps1|sh|pem|json|toml)", readme))
    there = {file.path.name for file in kit.files}
    assert named - there <= {"retire-certificate.sh", "retire-certificate.ps1"}
    assert there - named - {"README.md", "contoso.crt", "fence-rbac.ps1", "fence-access-policy.ps1"} == set()
    for script in ("room-group.ps1", "register.ps1", "undo.ps1"):
        assert f"./{script} -WhatIf" in readme
    assert ("**No consent.**" in readme) == (kind == "rbac" and source == "rooms")
    assert ("not before step 3" in readme) == (kind == "access-policy")
    assert max(len(line) for line in readme.splitlines() if not line.startswith(("|", "-", "    "))) <= 120


def test_the_fence_comes_before_the_consent(tmp_path: Path) -> None:
    for kind, fence in (("access-policy", "fence-access-policy.ps1"), ("rbac", "fence-rbac.ps1")):
        kit = write(tmp_path, fence__kind=kind, room_group="placed-rooms@contoso.com")
        order = [
            line for line in (tmp_path / "README.md").read_text().splitlines() if re.match(r"\| \d", line)
        ]
        assert [step for step in ("room-group", "register", fence, "consent") if step in "".join(order)]
        assert [fence in order[2], "consent" in order[3]] == [True, True]
        assert any(
            re.search(f"room-group.ps1, then register, then {fence}, then consent", s) for s in kit.next_steps
        )


def test_placed_toml_is_a_connection_that_wants_its_client_id_only(tmp_path: Path) -> None:
    for source in SOURCES.values():
        write(tmp_path, source, cloud="usgov")
        (table,) = tomllib.loads((tmp_path / "placed.toml").read_text())["connections"]
        with pytest.raises(ValueError, match="client_id"):
            Microsoft365Settings(**table)
        settings = Microsoft365Settings(**{**table, "client_id": CLIENT_ID})
        assert settings.fence.canaries == ("someone@contoso.com",)
        assert settings.cloud is Cloud.USGOV
        (tmp_path / "placed.toml").unlink()


def test_a_client_id_that_was_filled_in_is_kept_and_reaches_the_scripts(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "placed.toml"
    file.write_text(file.read_text().replace('client_id = ""', f'client_id = "{CLIENT_ID}"'))
    write(tmp_path)
    assert f'client_id = "{CLIENT_ID}"' in file.read_text()
    for name in ("register.sh", "register.ps1", "fence-access-policy.ps1", "undo.ps1"):
        assert CLIENT_ID in (tmp_path / name).read_text()


def test_the_settings_of_a_connection_are_answers_enough(tmp_path: Path) -> None:
    for source in SOURCES.values():
        answers = {**GIVEN, **source, "client_id": CLIENT_ID, "fence.kind": "rbac", "cloud": "china"}
        understood = understand("contoso", answers, tmp_path / "contoso.pem")
        assert answers_of(understood.settings) == answers
    assert {*answers} <= {question.key for question in questions()}
