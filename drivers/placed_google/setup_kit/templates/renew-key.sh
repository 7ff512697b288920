#!/usr/bin/env bash
# Makes another key for the service account, and removes an old one when placed no longer uses it.
#
#   ./renew-key.sh                         makes a key beside those that exist, which go on working
#   ./renew-key.sh --retire FILE.json      removes the key in that file, at Google
#   ./renew-key.sh --what-if ...           prints what it would do, and changes nothing
#
# Who: Owner of the project, or Service Account Key Admin.
set -euo pipefail

PROJECT=@@{project}
ACCOUNT=@@{account}
NAME=@@{name}

@@{part_gcloud}

retire=
while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        --retire)
            (($# > 1)) || die '--retire requires a file'
            retire=$2
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

if [[ -z $retire ]]; then
    signed_in
    make_key "$NAME-$(date -u +%Y-%m-%d).json"
    printf 'Next: README.md, "Renewing the key"\n'
    exit 0
fi

[[ -s $retire ]] || die "$retire: there is no such file"
id=$(key_id_in "$retire")
[[ -n $id ]] || die "$retire is no key of a service account"
signed_in
known=$(keys)
if ! grep -Fxq -- "$id" <<<"$known"; then
    printf 'Google does not know the key in %s any more; delete the file\n' "$retire"
    exit 0
fi
[[ $(grep -c . <<<"$known") -gt 1 ]] ||
    die "that is the only key there is; make another first, and let placed use it"
printf 'removes the key %s\n' "$id"
change iam service-accounts keys delete "$id" "--project=$PROJECT" "--iam-account=$ACCOUNT"
printf 'Then delete %s, here and on the server\n' "$retire"
