#!/usr/bin/env bash
# Creates the Google Cloud project, the service account and its key, with the Google Cloud CLI.
#
#   ./create-project.sh --what-if          prints what it would do, and changes nothing
#   ./create-project.sh                    does it; you can run it any number of times
#
# Grants nothing. The service account gets no role in the project and no right in Google Workspace; what it
# may use are the calendars that are shared with it, and README.md describes when that step is due.
#
# Who: somebody who may create projects, or an Owner of a project that exists. First sign in, once:
#
#   gcloud auth login
set -euo pipefail

PROJECT=@@{project}
ACCOUNT=@@{account}
ACCOUNT_ID=@@{account_id}
DISPLAY_NAME=@@{display_name}
DESCRIPTION=@@{description}
KEY_FILE=@@{key_file}
# The services that placed asks: @@{services_comment}.
# iam is what this script itself needs to create the account.
SERVICES=(@@{services})

@@{part_gcloud}

# Some servers do not know yet what was just created.
patiently() {
    local try
    for try in 1 2 3 4 5 6; do
        if "$@" 2>/dev/null; then
            return 0
        fi
        sleep "${PLACED_PATIENCE:-$((try * 3))}"
    done
    "$@" || die 'Google does not know yet what was just created; run this again in a few minutes'
}

while (($# > 0)); do
    case $1 in
        -n | --what-if) what_if=yes ;;
        -h | --help)
            sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
            exit 0
            ;;
        *) die "unknown option $1; see --help" ;;
    esac
    shift
done
signed_in

# --- The project ---

state=$(ask projects list "--filter=projectId=$PROJECT" '--format=value(lifecycleState)')
case $state in
    ACTIVE) printf 'the project is there: %s\n' "$PROJECT" ;;
    '')
        deleted=$(ask projects list "--filter=lifecycleState:DELETE_REQUESTED AND projectId=$PROJECT" '--format=value(projectId)')
        [[ -z $deleted ]] || die "the project $PROJECT is being deleted; run: gcloud projects undelete $PROJECT"
        printf 'creates the project %s\n' "$PROJECT"
        # Without the services that a new project otherwise has.
        change projects create "$PROJECT" --no-enable-cloud-apis ||
            die "the project was not created. Ids are unique in the world: if it is taken, run placed setup with another --set project=ID"
        if [[ $what_if == yes ]]; then
            printf 'would then enable %s, create %s and make a key for it\n' "${SERVICES[*]}" "$ACCOUNT"
            exit 0
        fi
        ;;
    *) die "the project $PROJECT is $state, and not ACTIVE" ;;
esac

# --- The services: those that are missing ---

enabled=$(patiently ask services list --enabled "--project=$PROJECT" '--format=value(config.name)')
missing=()
for service in "${SERVICES[@]}"; do
    grep -Fxq -- "$service" <<<"$enabled" || missing+=("$service")
done
if ((${#missing[@]} > 0)); then
    printf 'enables %s\n' "${missing[*]}"
    change services enable "${missing[@]}" "--project=$PROJECT"
fi

# --- The service account, without any role ---

found=
if [[ $what_if == no ]] || grep -Fxq iam.googleapis.com <<<"$enabled"; then
    found=$(patiently ask iam service-accounts list "--project=$PROJECT" "--filter=email=$ACCOUNT" '--format=value(email)')
fi
if [[ -z $found ]]; then
    printf 'creates the service account %s\n' "$ACCOUNT"
    change iam service-accounts create "$ACCOUNT_ID" "--project=$PROJECT" "--display-name=$DISPLAY_NAME" \
        "--description=$DESCRIPTION"
    if [[ $what_if == yes ]]; then
        printf 'would then make a key for it\n'
        exit 0
    fi
else
    printf 'the service account is there: %s\n' "$ACCOUNT"
fi
client_id=$(patiently ask iam service-accounts describe "$ACCOUNT" "--project=$PROJECT" '--format=value(oauth2ClientId)')
disabled=$(ask iam service-accounts describe "$ACCOUNT" "--project=$PROJECT" '--format=value(disabled)')
[[ $disabled != [Tt]rue ]] ||
    die "$ACCOUNT is disabled; run: gcloud iam service-accounts enable $ACCOUNT --project=$PROJECT"

# --- The key: one, unless it is in this folder already ---

if [[ -s $here/$KEY_FILE ]]; then
    id=$(key_id_in "$here/$KEY_FILE")
    [[ -n $id ]] || die "$KEY_FILE is no key of a service account; it is left alone, move it away"
    known=$(keys)
    grep -Fxq -- "$id" <<<"$known" ||
        die "Google does not know the key in $KEY_FILE; it is left alone, move it away and run this again"
    printf 'the key is there: %s\n' "$KEY_FILE"
else
    make_key "$KEY_FILE"
fi

printf '\nservice account, to share the calendars with: %s\n' "$ACCOUNT"
printf 'client id, for domain-wide delegation only:   %s\n' "$client_id"
