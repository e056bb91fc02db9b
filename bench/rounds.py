"""Rounds of local training beside one training on all rows: the validation loss after the same number of rows.

    python bench/rounds.py wide [--narrows target/release/narrows] [--seeds 3]
    python bench/rounds.py mnist FOLDER

`wide` is the table of `narrows demo wide`, 100,000 rows of 29 columns; `mnist` the 60,000 images of FOLDER
(train-images-idx3-ubyte) as rows of 784 numbers. A tenth of the rows is the sample. Every training sees as many rows as the one
on all of them: a tenth of the steps on the sample, then rounds of K steps on each of P partitions. `sample` and `all rows` train
without rounds and have all steps. The loss is that of the recipe, on the validation rows of the fit (of one training, the first
member's); those of `all rows` are others than those of the sample.

needs numpy
"""

import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile

import numpy


def images(folder):
    """MNIST as rows."""
    path = next(path for path in sorted(folder.rglob("train-images*")) if path.is_file())
    data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
    return numpy.frombuffer(data, numpy.uint8, offset=16).reshape(-1, 784).astype(numpy.float32) / 255


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["wide", "mnist"])
    parser.add_argument("folder", type=pathlib.Path, nargs="?")
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--steps", type=int, default=8000)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--outer", default="auto,auto", help="learning rate and momentum of the outer step")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        if args.table == "wide":
            table, n = folder / "wide.parquet", 100_000
            command = [args.narrows, "demo", "wide", "--data-only", "--rows", str(n), "-o", table, "--quiet"]
            subprocess.run(command, check=True)
            fixed = ["--ignore", "is_anomaly"]
        else:
            rows = images(args.folder)
            table, n, fixed = folder / "mnist.npy", len(rows), []
            numpy.save(table, rows)
        measure(args, folder, table, n // 10, fixed)


def measure(args, folder, table, sample, fixed):
    rate, momentum = args.outer.split(",")
    outer = ["--set", f"train.rounds.learning_rate={rate}", "--set", f"train.rounds.momentum={momentum}"]
    warm = args.steps // 10

    def loss(steps, *flags):
        losses, taken = [], 0
        for seed in range(args.seeds):
            settings = [f"train.steps={steps}", "train.patience=0", "detect.references=500"]
            command = [args.narrows, "fit", table, "-o", folder / "m.narrows", "--force", "--json", "--preset", "deep"]
            command += [word for setting in settings for word in ("--set", setting)]
            command += [*fixed, "--seed", str(seed), *flags]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            training = json.loads(done.stdout)["training"][0]
            losses.append(training["history"][training["best"]]["validation_loss"])
            taken = training["steps"]
        return f"{numpy.mean(losses):.5f} +- {numpy.std(losses):.5f}   {taken} steps after each other"

    few = ["--sample-rows", str(sample)]
    print(f"all rows           {loss(args.steps)}", flush=True)
    print(f"sample             {loss(args.steps, *few)}", flush=True)
    for partitions in (1, 2, 4, 8):
        for steps in (50, 200, 500):
            rounds = max(1, (args.steps - warm) // (steps * partitions))
            flags = ["--rounds", str(rounds), "--round-steps", str(steps), "--partitions", str(partitions), *outer]
            print(f"P {partitions}  K {steps:3}  R {rounds:3}  {loss(warm, *few, *flags)}", flush=True)


if __name__ == "__main__":
    main()
