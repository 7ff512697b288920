#Requires -Version 5.1
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Authentication'; ModuleVersion = '2.0.0' }
#Requires -Modules @{ ModuleName = 'Microsoft.Graph.Applications'; ModuleVersion = '2.0.0' }
<#
.SYNOPSIS
Registers placed in Microsoft Entra. register.sh does the same with the Azure CLI.

.DESCRIPTION
Grants nothing. A registration has a name, a certificate to sign in with, and a list of the permissions that it
asks for. Only consent grants them; README.md describes when that step is due.

Run it with -WhatIf first: it prints what it would do, and changes nothing. You can run it any number of times.

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

$RedirectUri = @@{redirect_uri}
# The permissions that it requests, and no others. manifest.json contains the same.@@{permissions_comment}
$ResourceAccess = @@{resource_access}
$PermissionIds = @@{permission_ids}
$GraphAppId = @@{graph_app_id}
# Public certificates, beside this script.
$Certificates = @@{certificates}

@@{part_entra}

@@{part_enterprise_application}

function Get-Registration {
    $filter = "displayName eq '$(Get-Quoted $ApplicationName)'"
    if ($ClientId) {
        $filter = "appId eq '$(Get-Quoted $ClientId)'"
    }
    $found = @(Get-MgApplication -Filter $filter)
    if ($found.Count -gt 1) {
        throw "There are $($found.Count) registrations called $ApplicationName. Choose one with -ClientId."
    }
    if ($ClientId -and $found.Count -eq 0) {
        throw "There is no registration with the client id $ClientId."
    }
    $found
}

function Get-CertificateBytes {
    param([string] $Name)
    # The DER in a PEM file.
    $pem = Get-Content -LiteralPath (Join-Path $PSScriptRoot $Name) | Where-Object { $_ -notmatch '^-----' }
    [Convert]::FromBase64String(($pem -join ''))
}

Connect-Entra -Scopes @('Application.ReadWrite.All')

# --- The registration: single tenant ---

$app = @(Get-Registration)
if ($app.Count -eq 0) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, 'make the registration')) {
        New-MgApplication -DisplayName $ApplicationName -SignInAudience 'AzureADMyOrg' | Out-Null
        $tries = 0
        while ($app.Count -eq 0 -and $tries -lt 5) {
            # Some servers do not know yet what was just created.
            Start-Sleep -Seconds 3
            $app = @(Get-Registration)
            $tries += 1
        }
    }
    if ($app.Count -eq 0) {
        if ($WhatIfPreference) {
            Write-Host "Would then upload $($Certificates -join ', '), and create the enterprise application."
            return
        }
        throw 'Entra does not know the new registration yet. Run this again in a few minutes.'
    }
}
$id = $app[0].Id
$appId = $app[0].AppId

# --- The redirect address of the consent page. Entra ignores the port of localhost. ---

$uris = @($app[0].Web.RedirectUris | Where-Object { $_ })
if ($RedirectUri -notin $uris) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, "add the redirect address $RedirectUri")) {
        Update-MgApplication -ApplicationId $id -Web @{ RedirectUris = @($uris + $RedirectUri) }
    }
}

# --- The requested permissions: exactly these; earlier requests are removed. A request grants nothing. ---

$asked = @($app[0].RequiredResourceAccess | Where-Object { $_ })
$asksOf = @($asked | ForEach-Object { [string]$_.ResourceAppId } | Sort-Object -Unique)
$asks = @($asked | ForEach-Object { $_.ResourceAccess } | ForEach-Object { "$($_.Type) $($_.Id)" } | Sort-Object)
$wanted = @($PermissionIds | ForEach-Object { "Role $_" } | Sort-Object)
$elsewhere = @($asksOf | Where-Object { $_ -ne $GraphAppId })
if (($asks -join ',') -ne ($wanted -join ',') -or $elsewhere.Count -gt 0) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, "ask for these permissions: @@{permission_names_plain}")) {
        # By hand, because Update-MgApplication leaves an empty list out.
        $body = '{"requiredResourceAccess":' + $ResourceAccess + '}'
        Invoke-MgGraphRequest -Method PATCH -Uri "/v1.0/applications/$id" -Body $body -ContentType 'application/json'
    }
}

# --- The certificate: added to the existing ones; this script removes none ---

foreach ($name in $Certificates) {
    # Asked for by itself and with this property, an application shows its keys with their content.
    $before = @((Get-MgApplication -ApplicationId $id -Property 'id,keyCredentials').KeyCredentials | Where-Object { $_ })
    $bytes = Get-CertificateBytes $name
    $content = [Convert]::ToBase64String($bytes)
    $same = @($before | Where-Object { $_.Key -and [Convert]::ToBase64String($_.Key) -eq $content })
    if ($same.Count -gt 0) {
        Write-Host "The certificate is there: $name"
        continue
    }
    if ($PSCmdlet.ShouldProcess($ApplicationName, "add the certificate $name")) {
        $new = @{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $bytes; DisplayName = $name }
        # The whole list, because an update puts it in place of what was there.
        Update-MgApplication -ApplicationId $id -KeyCredentials @($before + $new)
        $after = @((Get-MgApplication -ApplicationId $id -Property 'id,keyCredentials').KeyCredentials | ForEach-Object { [string]$_.KeyId })
        $lost = @($before | Where-Object { [string]$_.KeyId -notin $after })
        if ($lost.Count -gt 0) {
            throw "A certificate that was registered before is gone: $($lost.DisplayName -join ', '). Upload it again."
        }
    }
}

# --- The enterprise application: it receives the permissions, and Exchange refers to it ---

$ClientId = $appId
$enterprise = @(Get-EnterpriseApplication)
if ($enterprise.Count -eq 0) {
    if ($PSCmdlet.ShouldProcess($ApplicationName, 'make the enterprise application')) {
        $enterprise = @(New-MgServicePrincipal -AppId $appId)
    }
}

Write-Host ''
Write-Host "application (client) id:                 $appId"
if ($enterprise.Count -gt 0) {
    Write-Host "object id of the enterprise application: $($enterprise[0].Id)"
}
Write-Host "for placed.toml:                         client_id = `"$appId`""
