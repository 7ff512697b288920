function Wait-Until {
    param([string] $For, [scriptblock] $Ready, [int] $Minutes)
    # Exchange and Entra copy changes from server to server, which takes seconds, sometimes minutes. Until then other
    # servers do not know the change. Returns true as soon as it is ready, false when the time is over.
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
