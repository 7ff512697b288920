#!/usr/bin/env bash
# Removes an old certificate from the registration, with the Azure CLI. It never removes the last one.
#
#   ./retire-certificate.sh --what-if      prints what it would do, and changes nothing
#   ./retire-certificate.sh                removes the old certificate; you can run it any number of times
#
# Grants nothing. Run it when placed uses the new certificate: `placed doctor` prints which one placed signs in with.
# Who: Cloud Application Administrator, or Application Administrator.
set -euo pipefail

CLIENT_ID=@@{client_id}
APPLICATION_NAME=@@{application_name}
OLD=(@@{old_certificates})
OLD_THUMBPRINTS=(@@{old_thumbprints})
OLD_IDENTIFIERS=(@@{old_identifiers})
NEW_THUMBPRINT=@@{new_thumbprint}
NEW_IDENTIFIER=@@{new_identifier}

what_if=no

die() {
    printf 'retire-certificate.sh: %s\n' "$1" >&2
    exit 1
}

ask() {
    az "$@" --output tsv --only-show-errors | tr -d '\r'
}

while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        *) die "unknown option $1" ;;
    esac
    shift
done

app=$CLIENT_ID
if [[ -z $app ]]; then
    app=$(ask ad app list --filter "displayName eq '$APPLICATION_NAME'" --query '[].appId')
    [[ $(grep -c . <<<"$app" || true) -eq 1 ]] || die "expected one registration called $APPLICATION_NAME"
fi

# A line each: key id, a tab, SHA-1.
listed=$(ask ad app credential list --id "$app" --cert --query '[].[keyId, customKeyIdentifier]')
identifiers=$(cut -f 2 <<<"$listed")
grep -Fxiq -- "$NEW_THUMBPRINT" <<<"$identifiers" || grep -Fxq -- "$NEW_IDENTIFIER" <<<"$identifiers" ||
    die 'the new certificate is not registered; run register.sh first'
while IFS=$'\t' read -r key_id identifier; do
    for i in "${!OLD[@]}"; do
        if [[ $identifier == "${OLD_IDENTIFIERS[i]}" ]] || grep -Fxiq -- "${OLD_THUMBPRINTS[i]}" <<<"$identifier"; then
            if [[ $what_if == yes ]]; then
                printf 'would remove the certificate %s\n' "${OLD[i]}"
            else
                printf 'removes the certificate %s\n' "${OLD[i]}"
                az ad app credential delete --id "$app" --cert --key-id "$key_id" --only-show-errors
            fi
        fi
    done
done <<<"$listed"
