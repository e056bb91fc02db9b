#!/usr/bin/env bash
# What `just release-check` runs once both binaries are built: every crate packs with its licences and its README and
# without a warning, and the binaries start and go through a demo, with the same result.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cargo package --workspace --exclude narrows-house --exclude narrows-python --no-verify --locked "$@" 2>&1 | tee "$folder/package.log"
if grep -i '^warning' "$folder/package.log"; then
    echo "expected no warning from cargo package" >&2
    exit 1
fi
for crate in crates/*/; do
    # Not published; the second is a part of the wheel.
    [[ $crate == */narrows-house/ || $crate == */narrows-python/ ]] && continue
    archive=$(ls -t "$target/package/$(basename "$crate")"-[0-9]*.crate | head -1)
    files=$(tar -tf "$archive")
    for file in README.md LICENSE-MIT LICENSE-APACHE; do
        grep -q "/$file\$" <<<"$files" || { echo "$archive lacks $file" >&2; exit 1; }
    done
done

for binary in "$target/dist/narrows" "$target/x86_64-unknown-linux-gnu/dist/narrows"; do
    "$binary" --version
    mkdir -p "$folder/results"
    "$binary" demo --force --dir "$folder/demo" >/dev/null
    sha256sum "$folder/demo/scores.csv" | cut -d' ' -f1 >>"$folder/results/scores"
done
if [ "$(sort -u "$folder/results/scores" | wc -l)" != 1 ]; then
    echo "expected the same scores of both binaries" >&2
    exit 1
fi
