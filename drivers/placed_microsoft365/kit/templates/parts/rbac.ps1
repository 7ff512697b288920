function Confirm-Scope {
    param([string] $DistinguishedName)
    # Grants nothing by itself: it says which mailboxes a role assignment is about. Direct members of the group.
    $filter = "MemberOfGroup -eq '$(Get-Quoted $DistinguishedName)'"
    $scope = @(Get-ManagementScope | Where-Object { $_.Name -eq $ScopeName })
    if ($scope.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ScopeName, "make the management scope $filter")) {
            New-ManagementScope -Name $ScopeName -RecipientRestrictionFilter $filter | Out-Null
        }
    }
    elseif (([string]$scope[0].RecipientFilter).Trim('(', ')', ' ') -ne $filter) {
        if ($PSCmdlet.ShouldProcess($ScopeName, "set the management scope to $filter")) {
            Set-ManagementScope -Identity $ScopeName -RecipientRestrictionFilter $filter
        }
    }
}

function Confirm-Pointer {
    param([string] $AppId, [string] $ObjectId)
    # Grants nothing by itself: it makes the enterprise application known to Exchange.
    $pointer = @(Get-ServicePrincipal | Where-Object { [string]$_.AppId -eq $AppId })
    if ($pointer.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, 'make the service principal known to Exchange')) {
            New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $ApplicationName | Out-Null
        }
    }
}

function Get-Authorization {
    param([string] $AppId)
    # What RBAC for Applications lets the application do. Nothing, as long as Exchange does not know it.
    $pointer = @(Get-ServicePrincipal | Where-Object { [string]$_.AppId -eq $AppId })
    if ($pointer.Count -gt 0) {
        @(Test-ServicePrincipalAuthorization -Identity $AppId)
    }
}

function Confirm-Assignment {
    param([string] $AppId, [string] $ObjectId)
    # Grants: reading calendars, of the mailboxes in the scope. Role and scope are given in one command, so there
    # is no moment at which the role has no scope.
    $ours = @(Get-Authorization $AppId | Where-Object { $_.RoleName -eq $Role -and $_.AllowedResourceScope -eq $ScopeName })
    if ($ours.Count -eq 0) {
        if ($PSCmdlet.ShouldProcess($ApplicationName, "assign the role '$Role' in the scope $ScopeName")) {
            New-ManagementRoleAssignment -Name $AssignmentName -App $ObjectId -Role $Role -CustomResourceScope $ScopeName | Out-Null
        }
    }
}

function Test-Fence {
    param([string] $AppId, [string[]] $Inside, [string[]] $Outside)
    # Exchange's own answer, past its caches. Loud where it is not: rooms in, others out, and nothing else granted.
    $all = @(Get-Authorization $AppId)
    if ($all.Count -eq 0) {
        if ($WhatIfPreference) {
            Write-Host 'Not tried: there is no role assignment yet.'
            return
        }
        throw 'The fence was not tried: Exchange knows of no role assignment of the application.'
    }
    $wrong = @()
    foreach ($row in $all) {
        if ($row.RoleName -ne $Role -or $row.AllowedResourceScope -ne $ScopeName) {
            $wrong += "it also holds the role '$($row.RoleName)' in the scope $($row.AllowedResourceScope)"
        }
    }
    foreach ($mailbox in $Inside) {
        $rows = @(Test-ServicePrincipalAuthorization -Identity $AppId -Resource $mailbox)
        $rows | Format-Table -Property 'RoleName', 'AllowedResourceScope', 'ScopeType', 'InScope' | Out-Host
        if (@($rows | Where-Object { [string]$_.InScope -eq 'True' }).Count -eq 0) {
            $wrong += "$mailbox is not in the scope; is it a direct member of $Group?"
        }
    }
    foreach ($mailbox in $Outside) {
        $rows = @(Test-ServicePrincipalAuthorization -Identity $AppId -Resource $mailbox)
        $rows | Format-Table -Property 'RoleName', 'AllowedResourceScope', 'ScopeType', 'InScope' | Out-Host
        if ($rows.Count -eq 0 -or @($rows | Where-Object { [string]$_.InScope -ne 'False' }).Count -gt 0) {
            $wrong += "$mailbox is an outsider, and is not refused"
        }
    }
    if ($wrong.Count -gt 0) {
        throw "THE FENCE DOES NOT HOLD: $($wrong -join '; ')"
    }
    Write-Host "The fence holds: $($Inside.Count) inside, $($Outside.Count) outside refused."
}
