function Get-Quoted {
    param([string] $Text)
    # For a string in a filter of Graph or Exchange.
    $Text.Replace("'", "''")
}

function Connect-Entra {
    param([string[]] $Scopes)
    # The scopes apply to you in this window, with Microsoft's own tool. placed does not get them.
    Connect-MgGraph -Environment $GraphEnvironment -TenantId $Tenant -Scopes $Scopes -NoWelcome
}
