#!/usr/bin/env bash
# Does with GAM (https://github.com/GAM-team/GAM, version 7) what share-rooms.gs does with Apps Script.
#
#   ./share-rooms-gam.sh --what-if         prints the commands, and changes nothing
#   ./share-rooms-gam.sh                   shares each room as "@@{access}"; it can be run again
#   ./share-rooms-gam.sh --undo            takes that back
#
# Who: the administrator that GAM is set up for: a super administrator, or an administrator with the privileges of Calendar.
set -euo pipefail

SHARE_WITH=@@{share_with}
KIND=@@{share_kind}
ROLE=@@{role_word}
ROOMS=(@@{rooms})
QUERY=@@{room_query}

script=$(basename -- "${BASH_SOURCE[0]}")
what_if=no
undo=no

die() {
    printf '%s: %s\n' "$script" "$1" >&2
    exit 1
}

run() {
    if [[ $what_if == yes ]]; then
        printf 'would run: gam'
        printf ' %q' "$@"
        printf '\n'
    else
        gam "$@"
    fi
}

while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        --undo) undo=yes ;;
        -h | --help)
            sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) die "unknown option $1; see --help" ;;
    esac
    shift
done
[[ $what_if == yes ]] || command -v gam >/dev/null || die 'gam was not found; use share-rooms.gs'

if [[ $undo == yes ]]; then
    words=(delete acls "$ROLE" "$KIND:$SHARE_WITH")
else
    words=(add acls "$ROLE" "$KIND:$SHARE_WITH" sendnotifications false)
fi
if ((${#ROOMS[@]} > 0)); then
    failed=()
    for room in "${ROOMS[@]}"; do
        run calendars "$room" "${words[@]}" || failed+=("$room")
    done
    ((${#failed[@]} == 0)) || die "${#failed[@]} of ${#ROOMS[@]} rooms failed: ${failed[*]}"
    exit 0
fi
list=$(mktemp)
trap 'rm -f -- "$list"' EXIT
run redirect csv "$list" print resources query "$QUERY" fields email
run csv "$list" gam calendars '~resourceEmail' "${words[@]}"
