#!/usr/bin/env bash
# Remakes every lock: exact versions with hashes, and no index addresses. Usage: tools/lock.sh UV NPM...
set -euo pipefail
cd "$(dirname "$0")/.."
uv=$1
shift
compile() {
    local out=$1
    shift
    "$uv" pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate "$@" --output-file "requirements/$out.txt"
}
compile run pyproject.toml
compile build --group build --constraint requirements/run.txt
compile node --group node
compile api --group api
compile test pyproject.toml --group build --group test \
    --constraint requirements/run.txt --constraint requirements/build.txt
"$@" install --package-lock-only --ignore-scripts --silent
