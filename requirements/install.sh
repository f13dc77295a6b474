#!/usr/bin/env bash
# install.sh run|test: makes .venv from a hashed lock with plain pip, and puts the `equipoise` command into it.
# Nothing to do is the common case and costs a few milliseconds: a stamp holds the digest of all that went in.
set -euo pipefail
cd "$(dirname "$0")/.."
want="$1"
python="${PYTHON:-python3}"
venv=".venv"
say() { printf 'make env: %s\n' "$*" >&2; }

have=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2], int(sys.version_info >= (3, 11)))' 2>/dev/null) ||
    { say "no $python found; install Python 3.11 or newer, or say which one with PYTHON=…"; exit 1; }
[ "${have##* }" = 1 ] || { say "Python 3.11 or newer is needed, $python is ${have%% *}; say which one with PYTHON=…"; exit 1; }

digest=$({ cat "requirements/$want.txt" requirements/install.sh; printf '%s %s' "$have" "$PWD"; } | sha256sum | cut -c1-64)
stamp="$venv/.equipoise-$want"
[ -x "$venv/bin/equipoise" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$digest" ] && exit 0

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo -n "$@"; else return 1; fi
}
add_debian_venv() {
    command -v apt-get >/dev/null || return 1
    { as_root apt-get -qq update && as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install -y --no-install-recommends python3-venv; } >/dev/null 2>&1
}

pip=("$PWD/$venv/bin/python" -m pip)
if ! "$venv/bin/python" -c 'import sys' 2>/dev/null; then
    rm -rf "$venv"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null || add_debian_venv; then
        "$python" -m venv "$venv"
    elif "$python" -m pip --python "$(command -v "$python")" --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$venv"; then
        :
    else
        rm -rf "$venv"
        say "Python's venv module is incomplete here; install it (Debian: sudo apt-get install python3-venv) and try again"
        exit 1
    fi
fi
"${pip[@]}" --version >/dev/null 2>&1 || pip=("$python" -m pip --python "$PWD/$venv/bin/python")

say "installing requirements/$want.txt into $venv"
"${pip[@]}" --quiet --disable-pip-version-check --no-input install --require-hashes --no-deps --only-binary :all: \
    -r "requirements/$want.txt" || { say "the packages of requirements/$want.txt could not be installed (see above)"; exit 1; }

# The package itself is used where it lies: a path file and a two-line command need no build step and no network.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n' "$PWD/src" >"$site/equipoise.pth"
cat >"$venv/bin/equipoise" <<EOF
#!/bin/sh
'''exec' "$PWD/$venv/bin/python" "\$0" "\$@"
' '''
import sys

from equipoise.cli.main import main

sys.exit(main())
EOF
chmod +x "$venv/bin/equipoise"
printf '%s' "$digest" >"$stamp"
