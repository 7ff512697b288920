"""The scripts for PowerShell, read by a parser of it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

import pytest
import tree_sitter
import tree_sitter_powershell

from placed_microsoft365.setup_kit.template_rendering import powershell, powershell_array
from tests.drivers.microsoft365.setup_kit.sample_kits import COMBINATIONS, HOSTILE, ROOMS, scripts, write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHANGING = re.compile(r"(?:New|Set|Add|Remove|Update|Enable|Disable|Clear)-", re.IGNORECASE)
SHOULD = re.compile(r"\$PSCmdlet\.ShouldProcess\((?:(?!\s-(?:or|and)\s).)*\)")
HARMLESS = {"set-strictmode"}
REQUEST = "invoke-mggraphrequest"
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
NAMES = [
    "calendar-processing.ps1",
    "fence-access-policy.ps1",
    "fence-rbac.ps1",
    "move-to-rbac.ps1",
    "register.ps1",
    "retire-certificate.ps1",
    "room-group.ps1",
    "undo.ps1",
]
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

Node = tree_sitter.Node


@cache
def parsed(text: str) -> Node:
    return (
        tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
        .parse(text.encode())
        .root_node
    )


def words(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()


def every(node: Node, *kinds: str) -> Iterator[Node]:
    """The nodes below of these kinds, in the order of the text."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        if found.type in kinds:
            yield found
        waiting += reversed(found.children)


def above(node: Node) -> Iterator[Node]:
    while node.parent is not None:
        node = node.parent
        yield node


def mistakes(node: Node) -> list[str]:
    waiting, found = [node], []
    while waiting:
        one = waiting.pop()
        waiting += one.children
        if one.type == "ERROR" or one.is_missing:
            found.append(f"{one.start_point}: {words(one)[:80]!r}")
    return found


def commands(node: Node) -> list[tuple[str, Node]]:
    """What is called, by its name; what a script block holds that is handed to a call counts by itself."""
    return [
        (words(name), call)
        for call in every(node, "command")
        for name in call.children
        if name.type == "command_name"
    ]


def asked_first(call: Node) -> bool:
    """Whether it stands in a block that is run only if ShouldProcess says so."""
    for node in above(call):
        if node.type == "statement_block" and node.parent is not None:
            owner = node.parent
            if owner.type in ("if_statement", "elseif_clause"):
                condition = next(child for child in owner.children if child.type == "pipeline")
                own = next(child for child in owner.children if child.type == "statement_block")
                if own == node and SHOULD.fullmatch(words(condition)):
                    return True
    return False


def changes(node: Node) -> list[tuple[str, Node]]:
    defined = {words(name).lower() for name in every(node, "function_name")}
    return [
        (name, call)
        for name, call in commands(node)
        if name.lower() not in defined | HARMLESS
        and (CHANGING.match(name) or (name.lower() == REQUEST and "-Method GET" not in words(call)))
    ]


def body(node: Node) -> list[str]:
    """What the script itself calls, outside of its functions, in order."""
    return [
        name
        for name, call in commands(node)
        if not any(parent.type == "function_statement" for parent in above(call))
    ]


def ordered(called: list[str], *expected: str) -> bool:
    places = [called.index(name) for name in expected]
    return places == sorted(places)


@pytest.fixture(params=NAMES)
def script(request: pytest.FixtureRequest) -> Node:
    return parsed(scripts("rbac", "rooms", "worldwide")[request.param])


def root(name: str) -> Node:
    return parsed(scripts("rbac", "rooms", "worldwide")[name])


@pytest.mark.parametrize(("kind", "source", "cloud"), COMBINATIONS)
def test_every_script_for_powershell_is_powershell(kind: str, source: str, cloud: str) -> None:
    written = {name: text for name, text in scripts(kind, source, cloud).items() if name.endswith(".ps1")}
    assert sorted(written) == NAMES
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


def test_nothing_that_writes_is_ever_given_to_the_application() -> None:
    for kind, source, cloud in COMBINATIONS:
        for name, text in scripts(kind, source, cloud).items():
            for line in text.splitlines():
                if re.search(r"\w\.(?:ReadWrite|Send|FullControl)", line):
                    assert line.startswith("Connect-Entra -Scopes"), f"{name}: {line}"
            assert not re.search(r"Application \w+\.ReadWrite|full_access_as_app", text)


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


def within(call: Node, name: str) -> bool:
    """Whether a call stands in a script block that is handed to this function."""
    return any(
        words(word) == name
        for node in above(call)
        if node.type == "command"
        for word in every(node, "command_name")
    )


def test_a_step_that_needs_a_new_object_is_retried_until_it_is_replicated(script: Node) -> None:
    impatient = [
        name for name, call in commands(script) if name in DEPENDENT and not within(call, "Invoke-WithRetry")
    ]
    assert impatient == []


def test_a_change_that_is_tried_once_is_seen() -> None:
    sample = parsed("New-ManagementScope -Name a\nInvoke-WithRetry 'x' { New-ManagementScope -Name b }")
    made = [call for name, call in commands(sample) if name == "New-ManagementScope"]
    assert [within(call, "Invoke-WithRetry") for call in made] == [False, True]


@pytest.mark.parametrize("name", FENCES)
def test_a_small_organisation_is_prepared_before_its_first_scope(name: str) -> None:
    """Exchange refuses scopes and assignments in a dehydrated tenant."""
    assert ordered(body(root(name)), "Confirm-Customization", "Confirm-Scope", "Confirm-Assignment")
    asked = [call for called, call in commands(root(name)) if called == "Enable-OrganizationCustomization"]
    assert len(asked) == 1
    assert asked_first(asked[0])


def test_every_wait_shows_that_it_goes_on_and_has_an_end(script: Node) -> None:
    for function in every(script, "function_statement"):
        if "Start-Sleep" not in words(function):
            continue
        assert "Write-Host" in words(function)
        assert "-ge $ends" in words(function)
    for name, call in commands(script):
        if name == "Wait-Until":
            assert re.search(r"\} \d+$", words(call)), words(call)


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
