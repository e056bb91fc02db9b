#!/bin/sh
# Builds our side and times it beside PyTorch. NARROWS_BENCH_PYTHON names an interpreter that has torch
# and numpy; without it a virtual environment is made here once.
set -eu
cd "$(dirname "$0")"
python="${NARROWS_BENCH_PYTHON:-}"
if [ -z "$python" ]; then
    if [ ! -x .venv/bin/python ]; then
        python3 -m venv .venv
        .venv/bin/pip install --quiet torch numpy
    fi
    python=.venv/bin/python
fi
cargo build --quiet --release
exec "$python" train_step.py "${CARGO_TARGET_DIR:-target}/release/train_step" "$@"
