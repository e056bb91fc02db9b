#!/usr/bin/env bash
# Compressed files are the same on every processor: what is written here is read by emulated processors without AVX-512
# (Haswell) and without AVX and fused multiply-add (Nehalem), gives the same bytes, and is written there to the same bytes.
#
#     .ci/other-processors.sh [target/debug/narrows]
#
# Needs `qemu-x86_64` (Debian: qemu-user) on an x86-64 machine.
set -euo pipefail
cd "$(dirname "$0")/.."
narrows=$(realpath "${1:-target/debug/narrows}")
golden=$PWD/testdata/compressed
command -v qemu-x86_64 >/dev/null || { echo "expected qemu-x86_64, which Debian's package qemu-user has" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

on() { # processor arguments...
    local processor=$1
    shift
    # It warns of each feature that it does not emulate.
    qemu-x86_64 -cpu "$processor" "$narrows" "$@" 2> >(grep -v '^qemu-x86_64: warning' >&2)
}

# A table, series in rows, points in time, and images.
awk 'BEGIN { print "a,b,c,word"; for (i = 0; i < 400; i++)
    printf "%.4f,%.4f,%d,%s\n", sin(i * 0.7), cos(i * 0.7) + 0.1 * sin(i * 13), (i * i) % 17, i % 3 ? "red" : "blue" }' >table.csv
awk 'BEGIN { for (t = 0; t < 64; t++) printf "t%d%s", t, t < 63 ? "," : "\n"; for (i = 0; i < 120; i++) for (t = 0; t < 64; t++)
    printf "%.4f%s", sin(t * 0.3 + i) + 0.05 * sin(i * t), t < 63 ? "," : "\n" }' >rows.csv
awk 'BEGIN { print "time,x,y"; for (i = 0; i < 900; i++)
    printf "%d,%.4f,%.4f\n", i, sin(i * 0.3) + 0.05 * sin(i * 7), cos(i * 0.2) }' >points.csv
mkdir images
for n in $(seq 24); do
    awk -v n="$n" 'BEGIN { print "P2 40 40 255"; for (y = 0; y < 40; y++) for (x = 0; x < 40; x++)
        print int(127 + 120 * sin((x + n) * 0.2) * cos((y - n) * 0.15)) }' >"images/$n.pgm"
done

fit() { # name arguments...
    local name=$1
    shift
    "$narrows" --quiet fit "$@" -o "$name.narrows"
}
fit dense table.csv --preset compressing --set train.steps=60
fit conv rows.csv --kind series --layout rows --preset conv --set train.steps=40
fit lstm rows.csv --kind series --layout rows --preset seq2seq --set train.steps=10
fit points points.csv --kind series --time time --preset conv --set train.steps=40
fit whole images --set train.epochs=4
fit pieces images --preset compressing --set train.epochs=2 --set data.view=pieces --set "backbone.channels=[8,16]"
fit blocks images --preset compressing --set train.steps=4 --set data.view=pieces --set data.side=16

failed=0
differ() {
    echo "differs on $1: $2" >&2
    failed=1
}

check() { # model input output
    local model=$1 input=$2 output=$3
    for fidelity in "--max-error 2%" --lossless "--quality 6"; do
        rm -rf native.nrw native
        # shellcheck disable=SC2086
        "$narrows" --quiet compress "$model.narrows" "$input" -o native.nrw $fidelity
        "$narrows" --quiet decompress "$model.narrows" native.nrw -o "native$output"
        for processor in Haswell Nehalem; do
            rm -rf other.nrw other
            on $processor --quiet decompress "$model.narrows" native.nrw -o "other$output" &&
                diff -rq "native$output" "other$output" || differ $processor "decompress $model $fidelity"
            # shellcheck disable=SC2086
            on $processor --quiet compress "$model.narrows" "$input" -o other.nrw $fidelity &&
                cmp native.nrw other.nrw || differ $processor "compress $model $fidelity"
            rm -rf "other$output"
        done
        rm -rf "native$output"
    done
    echo "checked $model"
}
check dense table.csv .csv
check conv rows.csv .csv
check lstm rows.csv .csv
check points points.csv .csv
check whole images ""
check pieces images ""
check blocks images ""

for name in sheet_bound sheet_code; do
    "$narrows" --quiet decompress "$golden/${name%%_*}.narrows" "$golden/$name.nrw" -o native.csv
    for processor in Haswell Nehalem; do
        on $processor --quiet decompress "$golden/${name%%_*}.narrows" "$golden/$name.nrw" -o other.csv &&
            cmp native.csv other.csv || differ $processor "$name"
        rm -f other.csv
    done
    rm -f native.csv
done
if [ -e "$golden/photographs.narrows" ]; then
    "$narrows" --quiet decompress "$golden/photographs.narrows" "$golden/photographs_code.nrw" -o native
    for processor in Haswell Nehalem; do
        on $processor --quiet decompress "$golden/photographs.narrows" "$golden/photographs_code.nrw" -o other &&
            diff -rq native other || differ $processor photographs_code
        rm -rf other
    done
fi
exit $failed
