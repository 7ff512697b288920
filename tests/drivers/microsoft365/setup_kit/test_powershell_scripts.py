"""The scripts for PowerShell: what each step does, in which order, and for whom."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from placed_microsoft365.setup_kit.template_rendering import powershell, powershell_array
from tests.drivers.microsoft365.setup_kit.powershell_syntax import (
    above,
    asked_first,
    body,
    changes,
    commands,
    every,
    mistakes,
    ordered,
    parsed,
    root,
    words,
)
from tests.drivers.microsoft365.setup_kit.sample_kits import COMBINATIONS, HOSTILE, ROOMS, scripts, write

if TYPE_CHECKING:
    from pathlib import Path


def test_nothing_that_writes_is_ever_given_to_the_application_that_reads() -> None:
    for kind, source, cloud in COMBINATIONS:
        for name, text in scripts(kind, source, cloud).items():
            for line in text.splitlines():
                if re.search(r"\w\.(?:ReadWrite|Send|FullControl)", line):
                    assert line.startswith("Connect-Entra -Scopes"), f"{name}: {line}"
            assert not re.search(r"Application \w+\.ReadWrite|full_access_as_app", text)


def test_the_registration_of_actions_is_given_calendars_and_nothing_else_that_writes() -> None:
    for kind, source, cloud in COMBINATIONS:
        for name, text in scripts(kind, source, cloud, actions=True).items():
            for line in text.splitlines():
                if not line.startswith("Connect-Entra -Scopes"):
                    granted = re.findall(r"\w+\.(?:ReadWrite|Send|FullControl)(?:\.\w+)?", line)
                    assert {*granted} <= {"Calendars.ReadWrite"}, f"{name}: {line}"
            assert "full_access_as_app" not in text
            assert not re.search(r"Calendars\.Read\b", text), name


@pytest.mark.parametrize("kind", ["rbac", "access-policy"])
def test_undoing_actions_leaves_the_group_that_is_the_fence_of_the_reader(kind: str) -> None:
    undo = scripts(kind, "rooms", "worldwide", actions=True)["undo.ps1"]
    assert "DistributionGroup" not in undo
    assert "RemoveGroup" not in undo
    reader = scripts(kind, "rooms", "worldwide")["undo.ps1"]
    names = [re.search(r"\$ScopeName = ('[^']+')", text) for text in (undo, reader)]
    assert [found[1] for found in names if found] == ["'placed-contoso-actions'", "'placed-contoso-rooms'"]


def test_the_auto_release_of_exchange_is_shown_and_changed_only_on_request() -> None:
    script = parsed(scripts("rbac", "rooms", "worldwide", actions=True)["auto-release.ps1"])
    assert "EnableAutoRelease" in words(script)
    (change,) = changes(script)
    assert change[0] == "Set-CalendarProcessing"
    assert any(
        words(child).startswith("$SwitchOff")
        for node in above(change[1])
        if node.type == "if_statement"
        for child in node.children
        if child.type == "pipeline"
    )


@pytest.mark.parametrize(
    ("name", "cmdlet"),
    [
        ("fence-rbac.ps1", "Test-ServicePrincipalAuthorization"),
        ("move-to-rbac.ps1", "Test-ServicePrincipalAuthorization"),
        ("fence-access-policy.ps1", "Test-ApplicationAccessPolicy"),
    ],
)
def test_each_fence_ends_with_its_proof_and_is_loud_if_it_fails(name: str, cmdlet: str) -> None:
    script = root(name)
    assert cmdlet in [called for called, _ in commands(script)]
    assert 'throw "THE FENCE DOES NOT HOLD: ' in words(script)
    assert "@('someone@contoso.com')" in words(script)
    assert "'boardroom@contoso.com'" in words(script)


def test_a_role_is_never_assigned_without_its_scope() -> None:
    for name in ("fence-rbac.ps1", "move-to-rbac.ps1"):
        assigned = [
            words(call) for called, call in commands(root(name)) if called == "New-ManagementRoleAssignment"
        ]
        assert len(assigned) == 1
        assert "-CustomResourceScope $ScopeName" in assigned[0]


def test_the_fence_by_rbac_shuts_what_is_open_before_it_opens_anything() -> None:
    called = body(root("fence-rbac.ps1"))
    assert ordered(called, "Revoke-CalendarsGrant", "Confirm-Scope", "Confirm-Pointer", "Confirm-Assignment")
    assert called[-1] == "Test-Fence"


def test_the_move_takes_away_only_after_the_proof_and_the_policy_last() -> None:
    called = body(root("move-to-rbac.ps1"))
    assert ordered(
        called,
        "Confirm-Scope",
        "Confirm-Pointer",
        "Confirm-Assignment",
        "Test-Fence",
        "Revoke-CalendarsGrant",
        "Remove-ApplicationAccessPolicy",
    )
    last_test = len(called) - 1 - called[::-1].index("Test-Fence")
    assert called.index("Revoke-CalendarsGrant") < last_test < called.index("Remove-ApplicationAccessPolicy")


FENCES = ("fence-rbac.ps1", "move-to-rbac.ps1")
# What needs something that may have been made a moment ago, on another server.
DEPENDENT = {
    "Add-DistributionGroupMember",
    "New-ApplicationAccessPolicy",
    "New-ManagementRoleAssignment",
    "New-ManagementScope",
    "New-ServicePrincipal",
    "Set-ManagementScope",
}


@pytest.mark.parametrize("name", FENCES)
def test_a_small_organisation_is_prepared_before_its_first_scope(name: str) -> None:
    """Exchange refuses scopes and assignments in a dehydrated tenant."""
    assert ordered(body(root(name)), "Confirm-Customization", "Confirm-Scope", "Confirm-Assignment")
    asked = [call for called, call in commands(root(name)) if called == "Enable-OrganizationCustomization"]
    assert len(asked) == 1
    assert asked_first(asked[0])


def test_nothing_is_waited_for_where_nothing_is_done() -> None:
    """With -WhatIf, what would have been made is never there."""
    waits = next(
        f for f in every(root("fence-rbac.ps1"), "function_statement") if "Wait-Until" in words(f)[:30]
    )
    assert ordered(
        re.findall(r"WhatIfPreference|Start-Sleep", words(waits)), "WhatIfPreference", "Start-Sleep"
    )


@pytest.mark.parametrize("name", FENCES)
def test_a_readable_outsider_is_reported_without_waiting(name: str) -> None:
    proof = next(
        f for f in every(root(name), "function_statement") if words(f).startswith("function Test-Fence")
    )
    outside = words(proof).partition("foreach ($mailbox in $Outside)")[2]
    assert outside
    assert "Wait-Until" not in outside


def test_undoing_takes_access_first_and_the_fence_last() -> None:
    assert ordered(
        body(root("undo.ps1")),
        "Remove-MgServicePrincipalAppRoleAssignment",
        "Remove-ManagementRoleAssignment",
        "Remove-ManagementScope",
        "Remove-ServicePrincipal",
        "Remove-MgApplication",
        "Remove-ApplicationAccessPolicy",
        "Remove-DistributionGroup",
    )


def test_titles_are_changed_only_on_request() -> None:
    script = root("calendar-processing.ps1")
    for name, call in changes(script):
        assert name == "Set-CalendarProcessing"
        conditions = [
            words(child)
            for node in above(call)
            if node.type == "if_statement"
            for child in node.children
            if child.type == "pipeline"
        ]
        assert conditions[-1] in ("$ShowTitles", "$HideTitles")


def test_an_answer_stays_a_text_whatever_is_in_it(tmp_path: Path) -> None:
    write(tmp_path, rooms=",".join(HOSTILE))
    text = (tmp_path / "room-group.ps1").read_text()
    script = parsed(text)
    assert mistakes(script) == []
    default = next(
        parameter for parameter in every(script, "script_parameter") if "$Rooms" in words(parameter)
    )
    literals = [words(node) for node in every(default, "verbatim_string_characters")]
    assert [literal[1:-1].replace("''", "'") for literal in literals] == list(HOSTILE)
    assert not list(every(default, "expandable_string_literal", "sub_expression"))


@pytest.mark.parametrize(
    "text", ["", "a'b", "''", "$(id)", "`n", '"', "a\u2019; id; \u2018", "\u201b", "@('x')"]
)
def test_a_literal_is_one_string_whatever_quote_is_in_it(text: str) -> None:
    literal = powershell(text)
    assert mistakes(parsed(f"$x = {literal}")) == []
    assert re.fullmatch("'(?:[^'\u2018\u2019\u201a\u201b]|(['\u2018\u2019\u201a\u201b])\\1)*'", literal)
    assert powershell_array([text, text]) == f"@({literal}, {literal})"


def test_rooms_are_in_the_scripts_as_they_were_given() -> None:
    for address in ROOMS["rooms"].split(","):
        assert powershell(address) in scripts("rbac", "rooms", "worldwide")["room-group.ps1"]
