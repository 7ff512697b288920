function Get-Since {
    param([string] $What)
    # When this was first seen to be so, from a file beside the script. Nothing, if it was not.
    $file = Join-Path $PSScriptRoot "$What.since"
    if (Test-Path -LiteralPath $file) {
        [datetimeoffset]::Parse((Get-Content -LiteralPath $file -Raw).Trim(), [cultureinfo]::InvariantCulture)
    }
}

function Confirm-Since {
    param([string] $What, [bool] $Seen)
    # Notes the time at which it is first seen to be so, and forgets it where it is not.
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
