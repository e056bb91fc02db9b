"""Fits and scores of more rows than memory holds: time, rows per second and peak memory, beside reading alone.

    python bench/large.py FOLDER [--rows 100000000] [--narrows target/release/narrows] [--sample-rows 2000000]

Makes a table of twenty columns (eighteen numbers that five factors make, a country, a count) in FOLDER as Parquet, ten
million rows a file, unless it is there: 26 MB a million rows. `reading` is the time in which pyarrow decodes all columns,
batch by batch and on one thread, as the command does it; the scores are written to Parquet. Peak memory is that of the
process, as the kernel counts it. Scores are those of the first file, by the default model and by one of `--preset deep`.

    python bench/large.py FOLDER --samples

Of one set with known anomalies: AUC-ROC of fits to samples of 1, 10 and 100 % of the rows, three seeds each.

needs numpy and pyarrow; with --samples, scikit-learn
"""

import argparse
import os
import pathlib
import subprocess
import sys
import time

import numpy
import pyarrow
import pyarrow.parquet

ROWS_OF_FILE, ROWS_OF_GROUP = 10_000_000, 1_000_000
FACTORS = numpy.random.default_rng(0).normal(size=(5, 18)).astype(numpy.float32)
COUNTRIES = pyarrow.array([f"c{i}" for i in range(12)])


def rows(first, n, odd=0.0):
    """Rows from number `first` on, as a table; a share of them breaks the correlations (column `odd`, if there are any)."""
    random = numpy.random.default_rng([1, first])
    z = random.standard_normal((n, 5), dtype=numpy.float32)
    x = z @ FACTORS + 0.2 * random.standard_normal((n, 18), dtype=numpy.float32)
    country = random.integers(0, 12, n, dtype=numpy.int32)
    is_odd = random.random(n) < odd
    for i in range(0, 18, 3):
        x[is_odd, i] = random.permutation(x[:, i])[: is_odd.sum()]
    columns = {f"x{i}": numpy.round(x[:, i], 2) for i in range(18)}
    columns["country"] = pyarrow.DictionaryArray.from_arrays(pyarrow.array(country), COUNTRIES)
    columns["n"] = numpy.round(numpy.exp(z[:, 0]) * 10).astype(numpy.int32)
    if odd:
        columns["odd"] = is_odd.astype(numpy.int32)
    return pyarrow.table(columns)


def make(folder, n):
    """The files with the first `n` rows."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for start in range(0, n, ROWS_OF_FILE):
        end = min(start + ROWS_OF_FILE, n)
        path = folder / f"part-{start // ROWS_OF_FILE:04}.parquet"
        paths.append(path)
        if path.exists() and pyarrow.parquet.ParquetFile(path).metadata.num_rows == end - start:
            continue
        draft = path.with_suffix(".draft")
        with pyarrow.parquet.ParquetWriter(draft, rows(0, 1).schema, compression="zstd") as writer:
            for first in range(start, end, ROWS_OF_GROUP):
                writer.write_table(rows(first, min(ROWS_OF_GROUP, end - first)))
        draft.rename(path)
        print(f"made {path}", file=sys.stderr)
    return paths


def measured(command):
    """Seconds, and the peak memory in GiB, of a command."""
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {' '.join(map(str, command))}")
    return time.perf_counter() - began, usage.ru_maxrss / 2**20


def read(paths):
    """Seconds to decode all columns."""
    began = time.perf_counter()
    n = 0
    for path in paths:
        for batch in pyarrow.parquet.ParquetFile(path).iter_batches(8192, use_threads=False):
            n += batch.num_rows
    return time.perf_counter() - began, n


def speed(args):
    paths = make(args.folder, args.rows)
    names = [str(path) for path in paths]
    model, scores = args.folder / "large.narrows", args.folder / "scores.parquet"
    fit = [args.narrows, "fit", *names, "-o", model, "--force", "--quiet", "--sample-rows", str(args.sample_rows)]
    deep = args.folder / "deep.narrows"
    fit_deep = [*fit[:2], names[0], "-o", deep, "--force", "--quiet", "--sample-rows", "100000", "--preset", "deep"]
    score = [args.narrows, "score", model, names[0], "-o", scores, "--force", "--quiet"]
    score_deep = [*score[:2], deep, *score[3:]]
    print(f"{'':12} {'rows':>12} {'seconds':>8} {'rows/s':>12} {'peak GiB':>9}")

    def tell(name, n, seconds, peak=""):
        print(f"{name:12} {n:12,} {seconds:8.1f} {n / seconds:12,.0f} {peak:>9}", flush=True)

    seconds, n = read(paths)
    tell("reading", n, seconds)
    seconds, peak = measured(fit)
    tell("fit", n, seconds, f"{peak:.2f}")
    measured(fit_deep)
    first = min(n, ROWS_OF_FILE)
    for name, command in [("score, deep", score_deep), ("score", score)]:
        seconds, peak = measured(command)
        tell(name, first, seconds, f"{peak:.2f}")
    scores.unlink()


def samples(args):
    from sklearn.metrics import roc_auc_score

    args.folder.mkdir(parents=True, exist_ok=True)
    train, test = args.folder / "train.parquet", args.folder / "test.parquet"
    n = 1_000_000
    pyarrow.parquet.write_table(rows(0, n, odd=0.01), train)
    pyarrow.parquet.write_table(rows(n, 100_000, odd=0.01), test)
    truth = pyarrow.parquet.read_table(test, columns=["odd"])["odd"].to_numpy()
    model, scores = args.folder / "m.narrows", args.folder / "s.parquet"
    print(f"{'rows':>10}   AUC-ROC of three seeds")
    for share in (0.01, 0.1, 1.0):
        areas = []
        for seed in range(3):
            flags = ["--label", "odd", "--normal", "0", "--seed", str(seed), "--sample-rows", str(int(n * share))]
            measured([args.narrows, "fit", train, "-o", model, "--force", "--quiet", *flags])
            measured([args.narrows, "score", model, test, "-o", scores, "--force", "--quiet"])
            areas.append(roc_auc_score(truth, pyarrow.parquet.read_table(scores)["score"].to_numpy()))
        print(f"{int(n * share):10,}   {numpy.mean(areas):.4f} +- {numpy.std(areas):.4f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--sample-rows", type=int, default=2_000_000)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--samples", action="store_true")
    args = parser.parse_args()
    samples(args) if args.samples else speed(args)


if __name__ == "__main__":
    main()
