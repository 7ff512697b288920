#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
<#
.SYNOPSIS
Removes an old certificate from the registration. It never removes the last one.

.DESCRIPTION
Grants nothing. Run it when placed uses the new certificate: `placed doctor` prints which one placed signs in with.
Run it with -WhatIf first. You can run it any number of times.

Who: Cloud Application Administrator, or Application Administrator.
#>
[CmdletBinding(SupportsShouldProcess)]
param(
    [string] $Tenant = @@{tenant},
    [string] $ClientId = @@{client_id},
    [string] $ApplicationName = @@{application_name},
    [string] $GraphEnvironment = @@{graph_environment}
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$OldThumbprints = @@{old_thumbprints}
$NewThumbprint = @@{new_thumbprint}

@@{part_entra}

function Get-Thumbprint {
    param($Credential)
    # From the certificate itself, which Graph returns only for a single application. Empty if it returns none.
    if (-not $Credential.Key) {
        return ''
    }
    $sha1 = [System.Security.Cryptography.SHA1]::Create()
    [BitConverter]::ToString($sha1.ComputeHash([byte[]]$Credential.Key)).Replace('-', '')
}

Connect-Entra -Scopes @('Application.ReadWrite.All')
$filter = "displayName eq '$(Get-Quoted $ApplicationName)'"
if ($ClientId) {
    $filter = "appId eq '$(Get-Quoted $ClientId)'"
}
$found = @(Get-MgApplication -Filter $filter)
if ($found.Count -ne 1) {
    throw "Expected one registration, found $($found.Count). Choose one with -ClientId."
}
$keys = @((Get-MgApplication -ApplicationId $found[0].Id -Property 'id,keyCredentials').KeyCredentials | Where-Object { $_ })
if ($NewThumbprint -notin @($keys | ForEach-Object { Get-Thumbprint $_ })) {
    throw 'The new certificate is not registered. Run register first.'
}
$kept = @($keys | Where-Object { (Get-Thumbprint $_) -notin $OldThumbprints })
if ($kept.Count -lt $keys.Count) {
    if ($PSCmdlet.ShouldProcess($found[0].DisplayName, "remove $($keys.Count - $kept.Count) old certificate")) {
        Update-MgApplication -ApplicationId $found[0].Id -KeyCredentials $kept
    }
}
Write-Host "$($kept.Count) certificates stay."
