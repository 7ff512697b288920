function Invoke-WithRetry {
    param([string] $For, [scriptblock] $Change)
    # Makes a change that depends on something just created. A server that does not know that yet answers
    # "couldn't be found", or, after Enable-OrganizationCustomization, with the error that asks for that command.
    # Only these are tried again; any other error ends the script at once.
    $notYet = "couldn.t be found|could not be found|can.t find|cannot find|wasn.t found|was not found|doesn.t exist|does not exist|Dehydrated|isn.t currently allowed in your organization"
    $minutes = 15
    $ends = [datetimeoffset]::UtcNow.AddMinutes($minutes)
    while ($true) {
        try {
            & $Change
            return
        }
        catch {
            $message = [string]$_.Exception.Message
            if ($message -notmatch $notYet) {
                throw
            }
            if ([datetimeoffset]::UtcNow -ge $ends) {
                throw "$For failed for $minutes minutes. Run this again in an hour: it continues where it stopped. Last answer: $message"
            }
            Write-Host "$For is not possible yet: again in 20 s, until $($ends.ToLocalTime().ToString('HH:mm:ss')) at most."
            Start-Sleep -Seconds 20
        }
    }
}
