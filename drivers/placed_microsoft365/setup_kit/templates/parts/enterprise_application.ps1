function Get-EnterpriseApplication {
    # By its client id, if that is known, else by the name that register gives it. Nothing, if there is none.
    $filter = "displayName eq '$(Get-Quoted $ApplicationName)'"
    if ($ClientId) {
        $filter = "appId eq '$(Get-Quoted $ClientId)'"
    }
    $found = @(Get-MgServicePrincipal -Filter $filter)
    if ($found.Count -gt 1) {
        throw "There are $($found.Count) enterprise applications called $ApplicationName. Choose one with -ClientId."
    }
    $found
}
