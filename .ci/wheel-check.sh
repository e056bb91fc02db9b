#!/usr/bin/env bash
# What `just wheel-check` runs: builds a wheel for any Linux of this architecture since 2014, and tries it in a new virtual
# environment of each Python that is found. It needs maturin and ziglang (`pip install maturin ziglang`), and compiles
# everything, in a target folder of its own.
#
# `NARROWS_PYTHONS` names interpreters, by default those of the names python3.11 to python3.14 and of pyenv; at least one is
# needed. `NARROWS_WHEEL` names a wheel to try instead of building one.
set -euo pipefail
cd "$(dirname "$0")/.."
most_bytes=$((30 * 1024 * 1024))
target=${CARGO_TARGET_DIR:-target}/wheel
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

wheel=${NARROWS_WHEEL:-}
if [ -z "$wheel" ]; then
    CARGO_TARGET_DIR=$target maturin build --zig --compatibility manylinux2014 --out "$folder/wheels"
    wheel=$(ls "$folder"/wheels/narrows-*.whl)
    mkdir -p "$target/wheels"
    cp "$wheel" "$target/wheels/"
    [[ $wheel == *-cp311-abi3-*manylinux_2_17_* || $wheel == *-cp311-abi3-*manylinux2014_* ]] ||
        { echo "expected a wheel for cp311-abi3 and manylinux2014, got $wheel" >&2; exit 1; }
fi
size=$(stat -c %s "$wheel")
echo "$(basename "$wheel"): $size bytes"
[ "$size" -lt "$most_bytes" ] || { echo "expected less than $most_bytes bytes" >&2; exit 1; }

cat >"$folder/smoke.py" <<'PYTHON'
import pathlib
import pickle
import subprocess
import sys

import numpy as np

import narrows

rng = np.random.default_rng(0)
X = rng.normal(size=(400, 4))
X[:, 3] = X[:, 0] + X[:, 1]
model = narrows.AutoEncoder("deep", max_steps=100, threshold="false_alarm_rate=0.05", random_state=0).fit(X)
assert model.predict([[1.0, 1.0, 0.0, -9.0]]).tolist() == [-1]
scores = model.score_samples(X)
assert (pickle.loads(pickle.dumps(model)).score_samples(X) == scores).all()
model.save("m.narrows")
assert (narrows.load("m.narrows").score_samples(X) == scores).all()
np.save("x.npy", X)
command = pathlib.Path(sys.executable).with_name("narrows")
told = subprocess.run([command, "score", "m.narrows", "x.npy"], capture_output=True, text=True, check=True)
lines = told.stdout.splitlines()
assert lines[0].startswith("row,score") and len(lines) == 401, lines[:3]
assert float(lines[1].split(",")[1]) == -scores[0], (lines[1], scores[0])
loaded = {name.split(".")[0] for name in sys.modules} & {"pandas", "sklearn", "pyarrow", "polars", "matplotlib"}
assert not loaded, loaded
print(sys.version.split()[0], "numpy", np.__version__, "narrows", narrows.__version__, "fits, scores, saves, and carries the command")
PYTHON

if [ -n "${NARROWS_PYTHONS:-}" ]; then
    read -ra pythons <<<"$NARROWS_PYTHONS"
else
    pythons=()
    for minor in 11 12 13 14; do
        if found=$(command -v "python3.$minor") && "$found" -c '' 2>/dev/null; then
            pythons+=("$found")
        else
            for found in "$HOME"/.pyenv/versions/3.$minor.*/bin/python; do
                [ ! -x "$found" ] || { pythons+=("$found"); break; }
            done
        fi
    done
fi
[ ${#pythons[@]} -gt 0 ] || { echo "expected Python 3.11 or later" >&2; exit 1; }
for python in "${pythons[@]}"; do
    environment="$folder/$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
    "$python" -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "$wheel"
    (cd "$environment" && bin/python "$folder/smoke.py")
done

# With the oldest NumPy that pyproject.toml allows.
oldest=$(sed -n 's/^dependencies = \["numpy>=\(.*\)"\]$/\1/p' pyproject.toml)
for environment in "$folder"/3.11; do
    [ -d "$environment" ] || continue
    "$environment/bin/pip" install --quiet --disable-pip-version-check "numpy==$oldest"
    (cd "$environment" && bin/python "$folder/smoke.py")
done
