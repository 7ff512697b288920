function Get-Since {
    param([string] $What)
    # The time at which the condition was first seen, from a file beside the script; nothing if it was not seen.
    $file = Join-Path $PSScriptRoot "$What.since"
    if (Test-Path -LiteralPath $file) {
        [datetimeoffset]::Parse((Get-Content -LiteralPath $file -Raw).Trim(), [cultureinfo]::InvariantCulture)
    }
}

function Confirm-Since {
    param([string] $What, [bool] $Seen)
    # Stores the time at which the condition is first seen; deletes it if the condition does not hold.
    $file = Join-Path $PSScriptRoot "$What.since"
    $noted = Test-Path -LiteralPath $file
    if ($Seen -and -not $noted) {
        if ($PSCmdlet.ShouldProcess($file, 'note the time')) {
            Set-Content -LiteralPath $file -Value ([datetimeoffset]::UtcNow.ToString('o'))
        }
    }
    elseif ($noted -and -not $Seen) {
        if ($PSCmdlet.ShouldProcess($file, 'forget the time')) {
            Remove-Item -LiteralPath $file
        }
    }
}

function Test-Waited {
    param([string] $What, [double] $Hours)
    $since = Get-Since $What
    $null -ne $since -and ([datetimeoffset]::UtcNow - $since).TotalHours -ge $Hours
}

function Get-Due {
    param([string] $What, [double] $Hours)
    # When the wait is over, for a message.
    $since = Get-Since $What
    if ($null -eq $since) {
        $since = [datetimeoffset]::UtcNow
    }
    $since.AddHours($Hours).ToLocalTime().ToString('yyyy-MM-dd HH:mm')
}
