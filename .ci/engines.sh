#!/usr/bin/env bash
# What `just engines` runs: the tests of narrows.spark and narrows.ray, and the examples of their pages, with the extension and
# the command that cargo builds. It needs Python 3.11 or later, Java 17, and half a gigabyte for Spark and Ray, which go into
# target/engines-environment. Arguments are pytest's, such as `-k fit`; `NARROWS_PYTHON` names the interpreter.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
environment=$target/engines-environment
requirements=python/tests/engines/requirements.txt
if ! cmp --silent "$requirements" "$environment/requirements.txt"; then
    rm -rf "$environment"
    "${NARROWS_PYTHON:-python3}" -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check --requirement "$requirements"
    cp "$requirements" "$environment/requirements.txt"
fi
# All of the workspace, as `cargo test` builds it, so that nothing is built twice.
cargo test --workspace --locked --no-run
package=$target/debug/engines
rm -rf "$package"
mkdir -p "$package"
cp -r python/narrows "$package/"
rm -f "$package"/narrows/*.so
cp "$target"/debug/deps/libnarrows_python.so "$package/narrows/_native.abi3.so"
export PYTHONPATH=$PWD/$package PYTHONDONTWRITEBYTECODE=1 NARROWS_BINARY=$PWD/$target/debug/narrows
# Workers are of the same environment, and Ray's do not give way to all else on the machine.
export PYSPARK_PYTHON=$PWD/$environment/bin/python RAY_worker_niceness=0 RAY_USAGE_STATS_ENABLED=0
[ $# -gt 0 ] || set -- python/tests/engines python/tests/test_docs.py -k "engines or spark or ray"
"$environment/bin/python" -m pytest --quiet -p no:cacheprovider --durations=5 "$@"
