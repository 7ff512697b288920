function Wait-Until {
    param([string] $For, [scriptblock] $Ready, [int] $Minutes)
    # Exchange and Entra copy what was made or changed from server to server. That takes seconds, at times minutes,
    # and until then another server does not know of it. True as soon as it is ready, false when the time is over.
    if ($WhatIfPreference) {
        return [bool](& $Ready)
    }
    $ends = [datetimeoffset]::UtcNow.AddMinutes($Minutes)
    while (-not (& $Ready)) {
        if ([datetimeoffset]::UtcNow -ge $ends) {
            return $false
        }
        Write-Host "Waiting for ${For}: until $($ends.ToLocalTime().ToString('HH:mm:ss')) at most."
        Start-Sleep -Seconds 10
    }
    $true
}
