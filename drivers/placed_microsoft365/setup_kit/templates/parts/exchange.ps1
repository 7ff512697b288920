function Connect-Exchange {
    # Signs in to Exchange Online, unless this window is signed in, and makes sure that it is the right tenant.
    # In English, because the Test cmdlets answer in the language of the session.
    [System.Threading.Thread]::CurrentThread.CurrentUICulture = [cultureinfo]'en-US'
    $open = @(Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' -and $_.TokenStatus -eq 'Active' })
    if ($open.Count -eq 0) {
        Connect-ExchangeOnline -ExchangeEnvironmentName $ExchangeEnvironment -ShowBanner:$false
    }
    $names = @(Get-AcceptedDomain | ForEach-Object { [string]$_.DomainName })
    $names += @(Get-ConnectionInformation | ForEach-Object { [string]$_.TenantID })
    if ($Tenant -notin $names) {
        throw "Exchange Online is signed in to another tenant than $Tenant. Run Disconnect-ExchangeOnline, then this again."
    }
}
