#!/usr/bin/env bash
# Installs with apt-get the parts that tests need and that are neither on the machine nor in a wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t missing < <(.venv/bin/python -m tests.support.binaries)
[ ${#missing[@]} -eq 0 ] && exit 0
fail() {
    echo "make test needs: ${missing[*]}. $1" >&2
    exit 1
}
command -v apt-get >/dev/null || fail "There is no apt-get here; install them with this system's own package manager."
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null && sudo -n true 2>/dev/null || fail "Run as root: apt-get install ${missing[*]}"
    as_root=(sudo -n)
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
install() { "${as_root[@]}" apt-get install --yes --no-install-recommends "${missing[@]}" >"$log" 2>&1; }
"${as_root[@]}" apt-get update >"$log" 2>&1 && install || { tail -n 20 "$log" >&2; fail "apt-get could not install them."; }
