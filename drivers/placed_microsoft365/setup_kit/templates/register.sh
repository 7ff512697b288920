#!/usr/bin/env bash
# Registers placed in Microsoft Entra, with the Azure CLI. register.ps1 does the same with PowerShell.
#
#   ./register.sh --what-if                prints what it would do, and changes nothing
#   ./register.sh                          does it; you can run it any number of times
#   ./register.sh --client-id GUID         uses that registration, whatever its name
#
# Grants nothing. A registration has a name, a certificate to sign in with, and a list of the permissions that
# it asks for. Only consent grants them; README.md describes when that step is due.
#
# Who: Cloud Application Administrator, or Application Administrator. First sign in, once:
#
@@{choose_cloud_comment}
#   az login --allow-no-subscriptions --tenant YOUR-TENANT
set -euo pipefail

APPLICATION_NAME=@@{application_name}
TENANT=@@{tenant}
CLIENT_ID=@@{client_id}
GRAPH=@@{graph}
REDIRECT_URI=@@{redirect_uri}
# The permissions that it requests, and no others. manifest.json contains the same.@@{permissions_comment}
RESOURCE_ACCESS=@@{resource_access}
PERMISSION_IDS=@@{permission_ids}
GRAPH_APP_ID=@@{graph_app_id}
# Public certificates, with the SHA-1 of each as the portal shows it and as Graph writes it.
CERTIFICATES=(@@{certificates})
THUMBPRINTS=(@@{thumbprints})
IDENTIFIERS=(@@{identifiers})

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
what_if=no

die() {
    printf 'register.sh: %s\n' "$1" >&2
    exit 1
}

# Runs a query, which changes nothing. The az of Windows ends its lines with CR LF.
ask() {
    az "$@" --output tsv --only-show-errors | tr -d '\r'
}

# Every change of this script is made here.
change() {
    if [[ $what_if == yes ]]; then
        printf 'would run: az' >&2
        printf ' %q' "$@" >&2
        printf '\n' >&2
    else
        az "$@" --output tsv --only-show-errors | tr -d '\r'
    fi
}

# Some servers do not know yet what was just created.
patiently() {
    local try
    for try in 1 2 3 4 5; do
        if "$@"; then
            return 0
        fi
        sleep "${PLACED_PATIENCE:-$((try * 3))}"
    done
    die "Entra does not know the new registration yet; run this again in a few minutes"
}

while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        --client-id)
            (($# > 1)) || die '--client-id requires a GUID'
            CLIENT_ID=$2
            shift
            ;;
        -h | --help)
            sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) die "unknown option $1; see --help" ;;
    esac
    shift
done
[[ -z $CLIENT_ID || $CLIENT_ID =~ ^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$ ]] ||
    die "--client-id $CLIENT_ID: expected a GUID"

# --- The right tool, cloud and tenant ---

command -v az >/dev/null || die 'az was not found; install the Azure CLI, or use register.ps1'
endpoint=$(ask cloud show --query endpoints.microsoftGraphResourceId)
[[ ${endpoint%/} == "$GRAPH" ]] ||
    die "az works with ${endpoint%/} and not with $GRAPH; run: @@{choose_cloud}; then az login"
tenants=$(ask account show --query tenantId) || die "az is not signed in; run: az login --allow-no-subscriptions --tenant $TENANT"
tenants+=$'\n'$(ask rest --method get --url "$GRAPH/v1.0/organization" --query 'value[].verifiedDomains[].name')
grep -Fxiq -- "$TENANT" <<<"$tenants" ||
    die "az is signed in to another tenant; run: az login --allow-no-subscriptions --tenant $TENANT"

# --- The registration: single tenant ---

if [[ -n $CLIENT_ID ]]; then
    app=$(ask ad app show --id "$CLIENT_ID" --query appId) || die "there is no registration with the client id $CLIENT_ID"
else
    app=$(ask ad app list --filter "displayName eq '$APPLICATION_NAME'" --query '[].appId')
    [[ $(grep -c . <<<"$app" || true) -le 1 ]] ||
        die "there are several registrations called $APPLICATION_NAME; choose one with --client-id"
fi
if [[ -z $app ]]; then
    printf 'makes the registration %s\n' "$APPLICATION_NAME"
    app=$(change rest --method post --url "$GRAPH/v1.0/applications" --headers Content-Type=application/json \
        --body "@$here/manifest.json" --query appId)
    if [[ $what_if == yes ]]; then
        printf 'would then upload %s, and create the enterprise application\n' "${CERTIFICATES[*]}"
        exit 0
    fi
    patiently ask ad app show --id "$app" --query appId >/dev/null
else
    printf 'the registration is there: %s\n' "$app"
fi

# --- The redirect address of the consent page. Entra ignores the port of localhost. ---

uris=$(ask ad app show --id "$app" --query 'web.redirectUris')
if ! grep -Fxq -- "$REDIRECT_URI" <<<"$uris"; then
    printf 'adds the redirect address %s\n' "$REDIRECT_URI"
    addresses=()
    while IFS= read -r uri; do
        [[ -z $uri ]] || addresses+=("$uri")
    done <<<"$uris"
    addresses+=("$REDIRECT_URI")
    change ad app update --id "$app" --web-redirect-uris "${addresses[@]}"
fi

# --- The requested permissions: exactly these; earlier requests are removed. A request grants nothing. ---

asks=$(ask ad app show --id "$app" --query 'requiredResourceAccess[].resourceAccess[].id' | LC_ALL=C sort)
of=$(ask ad app show --id "$app" --query 'requiredResourceAccess[].resourceAppId' | sort -u)
kinds=$(ask ad app show --id "$app" --query 'requiredResourceAccess[].resourceAccess[].type' | sort -u)
if [[ $asks != "$PERMISSION_IDS" || (-n $asks && ($of != "$GRAPH_APP_ID" || $kinds != Role)) ]]; then
    printf 'asks for these permissions: %s\n' @@{permission_names}
    change rest --method patch --url "$GRAPH/v1.0/applications(appId='$app')" --headers Content-Type=application/json \
        --body "{\"requiredResourceAccess\":$RESOURCE_ACCESS}"
fi

# --- The certificate: added to the existing ones; this script removes none ---

for i in "${!CERTIFICATES[@]}"; do
    known=$(ask ad app credential list --id "$app" --cert --query '[].customKeyIdentifier')
    if grep -Fxiq -- "${THUMBPRINTS[i]}" <<<"$known" || grep -Fxq -- "${IDENTIFIERS[i]}" <<<"$known"; then
        printf 'the certificate is there: %s\n' "${CERTIFICATES[i]}"
        continue
    fi
    printf 'adds the certificate %s, thumbprint %s\n' "${CERTIFICATES[i]}" "${THUMBPRINTS[i]}"
    change ad app credential reset --id "$app" --append --cert "@$here/${CERTIFICATES[i]}" \
        --display-name "${CERTIFICATES[i]}" >/dev/null
done

# --- The enterprise application: it receives the permissions, and Exchange refers to it ---

enterprise=$(ask ad sp list --filter "appId eq '$app'" --query '[].id')
if [[ -z $enterprise ]]; then
    printf 'makes the enterprise application\n'
    if [[ $what_if == yes ]]; then
        change ad sp create --id "$app" --query id
    else
        patiently change ad sp create --id "$app" --query id >/dev/null
        enterprise=$(ask ad sp list --filter "appId eq '$app'" --query '[].id')
    fi
fi

printf '\napplication (client) id:                %s\n' "$app"
printf 'object id of the enterprise application: %s\n' "${enterprise:-not made yet}"
printf 'for placed.toml:                         client_id = "%s"\n' "$app"
