# shellcheck shell=bash
# What ci/check and ci/test share: a stage prints its seconds, what is left out is told, and the
# checks of the sources. Sourced in the folder of Cargo.toml; keeps to bash 3.2, which macOS has.
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-never}
target=${CARGO_TARGET_DIR:-target}
mkdir -p "$target"
log=$(mktemp "$target/test-log.XXXXXX")

# A path that the tests can open from another folder; on Windows by the name that programs know.
absolute() {
    if command -v cygpath >/dev/null; then
        cygpath -am "$1"
    else
        echo "$(cd "$(dirname "$1")" && pwd)/$(basename "$1")"
    fi
}

# Tests append a line here when they are left out; see tests/support/mod.rs.
RUNNERUP_LEFT_OUT=$(absolute "$(mktemp "$target/left-out.XXXXXX")")
export RUNNERUP_LEFT_OUT

begin=$SECONDS

# What `beside` started and `joined` did not show yet: NAME:PROCESS-GROUP.
lanes=

finish() {
    local status=$? lane
    for lane in $lanes; do
        kill -TERM -- "-${lane#*:}" 2>/dev/null || true
    done
    rm -f -- "$log" "$log".* "$RUNNERUP_LEFT_OUT"
    [ "$status" = 0 ] || free_space
}
trap finish EXIT

# A full disk breaks things in ways that look like anything else.
free_space() {
    local folder
    for folder in "$target" "${TMPDIR:-/tmp}"; do
        echo "free at $folder: $(df -Pk "$folder" | awk 'NR == 2 { printf "%d of %d MB", $4 / 1024, $2 / 1024 }')"
    done
}

step() {
    local title=$1 begin=$SECONDS
    shift
    echo "== $title"
    "$@" </dev/null
    echo "== $title: $((SECONDS - begin)) s"
}

# Starts a command beside what follows; `tested` waits for it, shows its output, and fails with it.
beside() {
    local name=$1
    shift
    # A process group of its own, which `finish` can end.
    set -m
    "$@" </dev/null >"$log.$name" 2>&1 &
    set +m
    lanes="$lanes $name:$!"
}

# Waits for all that `beside` started. Ends with the last status that is not 0.
joined() {
    local lane name status=0
    for lane in $lanes; do
        name=${lane%%:*}
        wait "${lane#*:}" || status=$?
        cat "$log.$name"
        cat "$log.$name" >>"$log"
    done
    lanes=
    return "$status"
}

leave_out() { echo "LEFT OUT: $*" >>"$RUNNERUP_LEFT_OUT"; }

documentation() { RUSTDOCFLAGS='-D warnings' cargo doc --quiet --locked --no-deps --document-private-items; }

sources() {
    step "format" cargo fmt --check
    step "lints" cargo clippy --quiet --locked --all-targets -- -D warnings
    step "documentation" documentation
}

# The seconds of each test binary, the slowest first.
seconds() {
    awk '/^ +Running / { name = $0; sub(/^ +Running /, "", name); sub(/ \(.*/, "", name) }
         /^test result: .* finished in / && name { sub(/s$/, "", $NF); printf "%8.1f s  %s\n", $NF, name; name = "" }' "$log" |
        sort -rn
}

# Runs a command that runs tests, then says what was left out, and counts. Ends with its status.
tested() {
    local status=0 begun=$SECONDS
    echo "== tests"
    "$@" </dev/null 2>&1 | tee "$log" || status=$?
    joined || status=$?
    seconds
    echo "== tests: $((SECONDS - begun)) s"
    if [ -s "$RUNNERUP_LEFT_OUT" ]; then
        echo "== left out"
        sort -u "$RUNNERUP_LEFT_OUT"
    fi
    echo "== all: $((SECONDS - begin)) s"
    # One line for all test binaries together; cargo prints one for each.
    awk '/^test result: / { passed += $4; failed += $6; ignored += $8 }
         END { printf "tests: %d passed, %d failed, %d skipped\n", passed, failed, ignored }' "$log"
    exit "$status"
}
