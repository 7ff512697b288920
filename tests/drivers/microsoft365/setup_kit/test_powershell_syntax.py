"""Every script for PowerShell, read by a parser: is valid, asks before changes, and uses what exists."""

from __future__ import annotations

import re

import pytest

from tests.drivers.microsoft365.setup_kit.powershell_syntax import (
    NAMES,
    NAMES_OF_ACTIONS,
    Node,
    asked_first,
    changes,
    commands,
    every,
    mistakes,
    parsed,
    root,
    within,
    words,
)
from tests.drivers.microsoft365.setup_kit.sample_kits import COMBINATIONS, scripts
from tests.drivers.microsoft365.setup_kit.test_powershell_scripts import DEPENDENT

# What the scripts take from PowerShell and from Microsoft's modules, by the reference pages of these.
CMDLETS = {
    "Add-DistributionGroupMember",
    "Connect-ExchangeOnline",
    "Connect-MgGraph",
    "Enable-OrganizationCustomization",
    "Export-Csv",
    "ForEach-Object",
    "Format-Table",
    "Get-AcceptedDomain",
    "Get-ApplicationAccessPolicy",
    "Get-CalendarProcessing",
    "Get-ConnectionInformation",
    "Get-Content",
    "Get-DistributionGroup",
    "Get-DistributionGroupMember",
    "Get-ManagementRoleAssignment",
    "Get-ManagementScope",
    "Get-MgApplication",
    "Get-OrganizationConfig",
    "Get-MgServicePrincipal",
    "Get-MgServicePrincipalAppRoleAssignment",
    "Get-Recipient",
    "Get-ServicePrincipal",
    "Invoke-MgGraphRequest",
    "Join-Path",
    "New-ApplicationAccessPolicy",
    "New-DistributionGroup",
    "New-ManagementRoleAssignment",
    "New-ManagementScope",
    "New-MgApplication",
    "New-MgServicePrincipal",
    "New-ServicePrincipal",
    "Out-Host",
    "Out-Null",
    "Remove-ApplicationAccessPolicy",
    "Remove-DistributionGroup",
    "Remove-Item",
    "Remove-ManagementRoleAssignment",
    "Remove-ManagementScope",
    "Remove-MgApplication",
    "Remove-MgServicePrincipalAppRoleAssignment",
    "Remove-ServicePrincipal",
    "Select-Object",
    "Set-CalendarProcessing",
    "Set-Content",
    "Set-ManagementScope",
    "Set-StrictMode",
    "Sort-Object",
    "Start-Sleep",
    "Test-ApplicationAccessPolicy",
    "Test-Path",
    "Test-ServicePrincipalAuthorization",
    "Update-MgApplication",
    "Where-Object",
    "Write-Host",
    "Write-Warning",
}
AUTOMATIC = {
    "_",
    "erroractionpreference",
    "false",
    "null",
    "pscmdlet",
    "psscriptroot",
    "true",
    "whatifpreference",
}


@pytest.fixture(params=[(name, False) for name in NAMES] + [(name, True) for name in NAMES_OF_ACTIONS])
def script(request: pytest.FixtureRequest) -> Node:
    """Every script of the kit for the registration that reads, and of that for the one of actions."""
    name, actions = request.param
    return parsed(scripts("rbac", "rooms", "worldwide", actions=actions)[name])


@pytest.mark.parametrize(("kind", "source", "cloud"), COMBINATIONS)
def test_every_script_for_powershell_is_powershell(kind: str, source: str, cloud: str) -> None:
    for actions, names in ((False, NAMES), (True, NAMES_OF_ACTIONS)):
        kit = scripts(kind, source, cloud, actions=actions)
        written = {name: text for name, text in kit.items() if name.endswith(".ps1")}
        assert sorted(written) == names
        for text in written.values():
            assert mistakes(parsed(text)) == []
            assert text.isascii()  # Windows PowerShell takes other files without a mark for another encoding


def test_the_parser_sees_mistakes() -> None:
    for wrong in ("if ($a) { Get-X", "'open", "function { param( }"):
        assert mistakes(parsed(wrong))


def test_every_change_asks_for_confirmation_first(script: Node) -> None:
    unasked = [words(call)[:80] for _, call in changes(script) if not asked_first(call)]
    assert unasked == []


def test_a_change_without_confirmation_is_detected() -> None:
    sample = """
    if ($PSCmdlet.ShouldProcess($a, 'b')) { Get-A } elseif ($b) { New-B } else { Remove-A }
    if ($PSCmdlet.ShouldProcess($a, 'b') -or $d) { Add-D }
    if ($c) { if ($PSCmdlet.ShouldProcess($a, 'b')) { foreach ($x in $y) { Set-C } } }
    Invoke-MgGraphRequest -Method PATCH
    """
    found = changes(parsed(sample))
    assert [(name, asked_first(call)) for name, call in found] == [
        ("New-B", False),
        ("Remove-A", False),
        ("Add-D", False),
        ("Set-C", True),
        ("Invoke-MgGraphRequest", False),
    ]


def test_there_are_changes_to_ask_for() -> None:
    assert sum(len(changes(root(name))) for name in NAMES) > 25


def test_every_script_is_strict_stops_at_an_error_and_can_be_tried(script: Node) -> None:
    text = words(script)
    assert "\n[CmdletBinding(SupportsShouldProcess)]\nparam(" in text
    assert "\nSet-StrictMode -Version 3.0\n$ErrorActionPreference = 'Stop'\n" in text
    assert "#Requires -Modules " in text
    assert "-WhatIf" in text


def test_every_script_states_what_it_grants_and_who_runs_it(script: Node) -> None:
    head = words(script).partition("#>")[0]
    assert "Who: " in head
    assert re.search(r"Grants|changes nothing", head)


def test_no_script_calls_what_there_is_not(script: Node) -> None:
    defined = {words(name) for name in every(script, "function_name")}
    called = {name for name, _ in commands(script)}
    assert called - defined - CMDLETS == set()


def test_no_script_has_a_function_that_it_does_not_need(script: Node) -> None:
    defined = [words(name) for name in every(script, "function_name")]
    called = {name for name, _ in commands(script)}
    assert set(defined) - called == set()


def test_no_script_reads_a_variable_that_was_never_set(script: Node) -> None:
    """Strict mode would end it there."""
    text = words(script)
    set_here = {name.lower() for name in re.findall(r"\$(\w+)\s*(?:=|\+=)(?!=)", text)}
    set_here |= {name.lower() for name in re.findall(r"\[\w+(?:\[\])?\]\s*\$(\w+)", text)}
    set_here |= {name.lower() for name in re.findall(r"foreach \(\$(\w+) in", text)}
    set_here |= {name.lower() for name in re.findall(r"param\(\$(\w+)\)", text)}
    read = {words(node).strip("${}").lower() for node in every(script, "variable", "braced_variable")}
    assert read - set_here - AUTOMATIC == set()


def test_a_step_that_needs_a_new_object_is_retried_until_it_is_replicated(script: Node) -> None:
    impatient = [
        name for name, call in commands(script) if name in DEPENDENT and not within(call, "Invoke-WithRetry")
    ]
    assert impatient == []


def test_a_change_that_is_tried_once_is_seen() -> None:
    sample = parsed("New-ManagementScope -Name a\nInvoke-WithRetry 'x' { New-ManagementScope -Name b }")
    made = [call for name, call in commands(sample) if name == "New-ManagementScope"]
    assert [within(call, "Invoke-WithRetry") for call in made] == [False, True]


def test_every_wait_shows_that_it_goes_on_and_has_an_end(script: Node) -> None:
    for function in every(script, "function_statement"):
        if "Start-Sleep" not in words(function):
            continue
        assert "Write-Host" in words(function)
        assert "-ge $ends" in words(function)
    for name, call in commands(script):
        if name == "Wait-Until":
            assert re.search(r"\} \d+$", words(call)), words(call)
