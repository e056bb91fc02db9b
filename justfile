# Each recipe is a line that also runs without `just`.

# What there is.
default:
    @just --list

# What CI runs, cheapest first; `.ci/run` does it with every feature, and needs a driver for Vulkan and Chromium.
check: fmt lint test doc

# Formatting.
fmt:
    cargo fmt --all --check

# The rules of the house over our own sources; `test` has them too.
house:
    cargo test -p narrows-house --locked

# What the house has and how much, as tables.
counts:
    cargo test -p narrows-house --locked -- --ignored --nocapture counts

# Lints, as errors.
lint:
    cargo clippy --workspace --all-targets --locked -- -D warnings

# All tests.
test:
    cargo test --workspace --locked

# The tests of the Python package alone; `NARROWS_PYTEST='-k scores' just python` runs some of them.
python:
    cargo test --workspace --locked --no-run
    cargo test --workspace --locked --test python

# The tests of the package on Spark and Ray: minutes, and needs Java 17; `.ci/engines.sh -k fit` runs some of them.
engines:
    .ci/engines.sh

# Addresses in object stores, against an S3 server from PyPI.
remote:
    NARROWS_PYTEST=python/tests/test_remote.py cargo test --workspace --locked --features narrows-python/remote --test remote --test python

# The executor on graphics processors, on whatever driver there is: `apt install mesa-vulkan-drivers libvulkan1` brings one
# that computes on the processor.
gpu:
    NARROWS_REQUIRE_GPU=1 cargo test --locked -p narrows-gpu

# Formats the Python files; needs ruff.
python-fmt:
    ruff check --fix
    ruff format

# The reference of the Python package in target/python-doc; needs pdoc, and the package installed.
python-doc:
    python -m pdoc --docformat numpy --output-directory target/python-doc narrows

# A wheel for this machine in target/wheels; needs maturin.
wheel:
    maturin build --locked

# A wheel for any Linux of this architecture since 2014, installed and tried with each Python there is.
wheel-check:
    .ci/wheel-check.sh

# Documentation, warnings as errors.
doc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Licences, advisories, duplicate versions; needs cargo-deny.
deny:
    cargo deny check

# Our training step beside PyTorch's, alternating in one run; makes its own Python environment.
bench:
    bench/run.sh

# Feeds damaged bytes to a reader (`just fuzz parquet`), one of fuzz/fuzz_targets; needs cargo-fuzz.
fuzz target="model_file" seconds="60":
    cd fuzz && RUSTC_BOOTSTRAP=1 cargo fuzz run {{target}} -- -max_total_time={{seconds}} -rss_limit_mb=3000

# Tens of thousands of damaged files of every format, the same ones each time; some minutes.
damaged:
    cargo test --locked -p narrows-core --test suite -- --ignored many_more

# The binary to hand out: slower to build, smaller; target/dist/narrows.
dist:
    cargo build --profile dist --locked --package narrows --features remote

# The same with the C library in it, for any Linux of this architecture: target/x86_64-unknown-linux-gnu/dist/narrows.
dist-static:
    RUSTFLAGS="-C target-feature=+crt-static" cargo build --profile dist --locked --package narrows --features remote --target x86_64-unknown-linux-gnu

# What must hold before a release: every crate packs, and both binaries start and fit.
release-check: dist dist-static
    .ci/release-check.sh
