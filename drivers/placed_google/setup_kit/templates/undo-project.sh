#!/usr/bin/env bash
# Removes what create-project.sh has made: the service account with all of its keys, and the project if you want.
#
#   ./undo-project.sh --what-if            prints what it would do, and changes nothing
#   ./undo-project.sh                      deletes the service account: nobody can sign in as it any more
#   ./undo-project.sh --delete-project     deletes the project as well; it can be restored for 30 days
#
# First take the calendars away from it: share-rooms.gs, unshareRooms.
#
# Who: Owner of the project.
set -euo pipefail

PROJECT=@@{project}
ACCOUNT=@@{account}
PROJECT_HAS_OTHERS=@@{project_has_others} # yes: the account that reads may be in the same project

@@{part_gcloud}

delete_project=no
while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        --delete-project) delete_project=yes ;;
        -h | --help)
            sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) die "unknown option $1; see --help" ;;
    esac
    shift
done
[[ $delete_project == no || $PROJECT_HAS_OTHERS == no ]] ||
    die "the project may also have the account that reads; delete it with the folder of that one"
signed_in

state=$(ask projects list "--filter=projectId=$PROJECT" '--format=value(lifecycleState)')
if [[ $state != ACTIVE ]]; then
    printf 'there is no project %s\n' "$PROJECT"
    exit 0
fi
found=$(ask iam service-accounts list "--project=$PROJECT" "--filter=email=$ACCOUNT" '--format=value(email)')
if [[ -n $found ]]; then
    printf 'deletes the service account %s, with all of its keys\n' "$ACCOUNT"
    change iam service-accounts delete "$ACCOUNT" "--project=$PROJECT"
else
    printf 'there is no service account %s\n' "$ACCOUNT"
fi
if [[ $delete_project == yes ]]; then
    printf 'deletes the project %s\n' "$PROJECT"
    change projects delete "$PROJECT"
fi
printf 'Then delete the .json files, here and on the server\n'
