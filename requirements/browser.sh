#!/usr/bin/env bash
# Puts what the browser tests drive on the machine: Debian's Chromium, and a font with Chinese characters.
# EQUIPOISE_CHROMIUM=/path/to/chromium names another browser, for systems without apt.
set -euo pipefail
say() { printf 'make test-env: %s\n' "$*" >&2; }
need=()
[ -n "${EQUIPOISE_CHROMIUM:-}" ] || command -v chromium >/dev/null || need+=(chromium)
[ -n "$(find /usr/share/fonts "$HOME/.local/share/fonts" -iname '*cjk*' -print -quit 2>/dev/null)" ] || need+=(fonts-noto-cjk)
[ ${#need[@]} = 0 ] && exit 0

root=()
[ "$(id -u)" = 0 ] || root=(sudo -n)
if command -v apt-get >/dev/null && "${root[@]}" true 2>/dev/null; then
    say "installing ${need[*]} from Debian"
    log=$(mktemp)
    if { "${root[@]}" apt-get -q update && "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install -y --no-install-recommends "${need[@]}"; } </dev/null >"$log" 2>&1; then
        rm -f "$log"
        exit 0
    fi
    tail -n 5 "$log" >&2
    rm -f "$log"
fi
if [ "${need[*]}" = fonts-noto-cjk ]; then
    say "no font with Chinese characters (Debian: fonts-noto-cjk): pictures will show boxes, tests still run"
    exit 0
fi
say "the browser tests need Chromium: install it (Debian: sudo apt-get install ${need[*]}) or set EQUIPOISE_CHROMIUM"
exit 1
