#!/usr/bin/env bash
# Makes the two hashed locks again from run.in and test.in (needs uv). A person reads the diff before it is committed.
# The locks carry no index address and no comment: a name, a version, and the hashes of every file of that release.
set -euo pipefail
cd "$(dirname "$0")"
compile() {
    uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate --output-file "$2" "$1" "${@:3}"
}
compile run.in run.txt "$@"
compile test.in test.txt "$@"
