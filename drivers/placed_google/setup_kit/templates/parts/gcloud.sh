here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
script=$(basename -- "${BASH_SOURCE[0]}")
what_if=no

die() {
    printf '%s: %s\n' "$script" "$1" >&2
    exit 1
}

# Runs a query, which changes nothing.
ask() {
    gcloud "$@" --quiet | tr -d '\r'
}

# Every change of this script is made here.
change() {
    if [[ $what_if == yes ]]; then
        printf 'would run: gcloud' >&2
        printf ' %q' "$@" >&2
        printf '\n' >&2
    else
        gcloud "$@" --quiet
    fi
}

signed_in() {
    local account
    command -v gcloud >/dev/null || die 'gcloud was not found; install the Google Cloud CLI, or use Cloud Shell'
    account=$(ask auth list --filter=status:ACTIVE '--format=value(account)')
    [[ -n $account ]] || die 'gcloud is not signed in; run: gcloud auth login'
}

# The id of the key in a file as Google writes it.
key_id_in() {
    sed -n 's/^.*"private_key_id": *"\([0-9a-f]*\)".*$/\1/p' -- "$1"
}

# The ids of the keys that were made for the service account, one a line.
keys() {
    ask iam service-accounts keys list "--project=$PROJECT" "--iam-account=$ACCOUNT" --managed-by=user \
        '--format=value(name.basename())'
}

# Makes a key, which only this user can read, and never in place of another.
make_key() {
    local file=$here/$1 made
    if [[ $what_if == yes ]]; then
        change iam service-accounts keys create "$file" "--project=$PROJECT" "--iam-account=$ACCOUNT"
        return 0
    fi
    [[ ! -e $file ]] || die "$file is there already, and stays as it is"
    made=$(umask 077 && mktemp -d "$here/.key.XXXXXX")
    # gcloud writes a file that is for its user alone; this does not rely on it.
    if ! (umask 077 && change iam service-accounts keys create "$made/key.json" "--project=$PROJECT" \
        "--iam-account=$ACCOUNT"); then
        rm -rf -- "$made"
        die "no key was made. If an organisation policy forbids it: README.md, \"Where keys are forbidden\""
    fi
    chmod 600 "$made/key.json"
    mv -n -- "$made/key.json" "$file"
    rm -rf -- "$made"
    [[ -s $file ]] || die "the key could not be put at $file; run keys list, and remove it"
    printf 'made the key %s; it is secret: for the server, and for nobody else\n' "$file"
}
