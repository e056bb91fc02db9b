#!/bin/sh
# What a graphics processor is worth: steps a second beside PyTorch, then a restorer in five minutes. Under eight minutes.
#
#   bench/gpu.sh build            here: the two programs, into bench/.gpu/
#   bench/gpu.sh run [IMAGES]     where the device is: needs python3 with torch and numpy; IMAGES holds Train400 and Set12
#   bench/gpu.sh try              build and run on whatever driver is here, small: checks the script itself
#
# The machine with the device needs no compiler: carry bench/ and the images there. Where its Vulkan driver has no loader,
# unpack libvulkan1 first, and name its driver in VK_DRIVER_FILES.
set -eu
cd "$(dirname "$0")"
verb="${1:-run}"

build() {
    mkdir -p .gpu
    cargo build --quiet --release --features gpu
    cargo build --quiet --release --manifest-path ../Cargo.toml --package narrows --features gpu
    cp "${CARGO_TARGET_DIR:-target}/release/train_step" "${CARGO_TARGET_DIR:-../target}/release/narrows" .gpu/
}

# Restores Set12 after $2 steps on Train400, on the device.
restore() {
    .gpu/narrows doctor | grep '^gpu' || true
    started=$(date +%s)
    .gpu/narrows fit "$1/Train400" --corrupt gaussian:25 --set train.steps="$2" --device gpu --force -o .gpu/restorer.narrows
    echo "trained $2 steps in $(($(date +%s) - started)) s"
    .gpu/narrows evaluate .gpu/restorer.narrows "$1/Set12" --json |
        python3 -c 'import json, sys; q = json.load(sys.stdin); print("SET12", q["restored"]["psnr"], "dB, as they came", q["input"]["psnr"])'
}

case "$verb" in
build) build ;;
run)
    timeout 200 python3 gpu_step.py .gpu/train_step || echo "the steps were cut off"
    # As many steps as five minutes hold, by the speed of a few.
    images="${2:-../../shared/data/images}"
    before=$(date +%s)
    .gpu/narrows fit "$images/Train400" --corrupt gaussian:25 --set train.steps=100 --device gpu --force -o .gpu/few.narrows
    seconds=$(($(date +%s) - before))
    restore "$images" $((100 * 240 / (seconds > 0 ? seconds : 1)))
    ;;
try)
    build
    export NARROWS_SOFTWARE_GPU=1
    ${NARROWS_BENCH_PYTHON:-python3} gpu_step.py .gpu/train_step images eager
    ;;
*)
    echo "expected build, run or try, got $verb" >&2
    exit 2
    ;;
esac
