"""The Python package beside the command, and beside PyOD's AutoEncoder: time, memory and AUC.

    python bench/python.py door [--narrows target/release/narrows] [--rows 285000] [--runs 5]
    python bench/python.py pyod FOLDER [--runs 3] [--threads 2]

`door` fits and scores the table of `narrows demo wide` by the command and by the package, in turn, each in a process of
its own, and prints the median of the ratios; the package reads the table into pandas first, which is not timed. `pyod` fits
and scores tables of the ADBench collection (.npz with `X` and `y`), a random half of the normal rows as training rows,
with the defaults of both.

needs the package itself, numpy, pandas and pyarrow; `pyod` needs pyod, torch and scikit-learn
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

# A run of the package in a process of its own: prints seconds and memory as JSON.
IN_PYTHON = """
import json, resource, sys, time
import pandas
path, label = sys.argv[1:3]
frame = pandas.read_parquet(path)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
import narrows
estimator = narrows.AutoEncoder(label=label, normal="0", n_jobs=int(sys.argv[3]))
before = peak()
start = time.perf_counter()
estimator.fit(frame)
fitted = time.perf_counter()
after_fit = peak()
scores = estimator.score_samples(frame)
print(json.dumps({
    "fit": fitted - start, "score": time.perf_counter() - fitted, "frame": frame.memory_usage().sum() / 2**20,
    "read": before, "fit_peak": after_fit, "score_peak": peak(), "sum": float(scores.sum()),
}))
"""


def in_python(path, label, threads):
    """Seconds, and MB of memory, of a fit and a score of a frame that is in memory."""
    words = [sys.executable, "-c", IN_PYTHON, str(path), label, str(threads)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def by_command(binary, folder, path, label, threads):
    """Seconds of `narrows fit` and `narrows score`, reading and writing files included, and MB of memory."""
    found = {}
    model = folder / "m.narrows"
    verbs = {
        "fit": ["fit", path, "--label", label, "--normal", "0", "-o", model],
        "score": ["score", model, path, "-o", folder / "s.parquet"],
    }
    for verb, words in verbs.items():
        words = [binary, *map(str, words), "--threads", str(threads), "--force", "--quiet"]
        start = time.perf_counter()
        process = subprocess.Popen(words)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise SystemExit(f"{words} failed")
        found[verb] = time.perf_counter() - start
        found[f"{verb}_peak"] = usage.ru_maxrss / 1024
    return found


def door(arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "wide.parquet"
        subprocess.run(
            [
                arguments.narrows,
                "demo",
                "wide",
                "--data-only",
                "--rows",
                str(arguments.rows),
                "-o",
                str(path),
                "--quiet",
            ],
            check=True,
        )
        pairs = []
        for run in range(arguments.runs):
            order = [
                lambda: by_command(arguments.narrows, folder, path, "is_anomaly", arguments.threads),
                lambda: in_python(path, "is_anomaly", arguments.threads),
            ]
            if run % 2:
                order.reverse()
            found = [each() for each in order]
            if run % 2:
                found.reverse()
            pairs.append(found)
    print(f"{arguments.rows} rows, 29 columns, {arguments.threads} threads, medians of {arguments.runs} paired runs")
    print("| | command, s | package, s | package / command |")
    print("|---|---|---|---|")
    for what in ("fit", "score"):
        command, package = ([pair[i][what] for pair in pairs] for i in (0, 1))
        ratio = statistics.median(b / a for a, b in zip(command, package, strict=True))
        print(f"| {what} | {statistics.median(command):.2f} | {statistics.median(package):.2f} | {ratio:.2f} |")

    def middle(i, what):
        return statistics.median(pair[i][what] for pair in pairs)

    print(
        f"\nmemory: the frame has {middle(1, 'frame'):.0f} MB; peak of the process {middle(1, 'read'):.0f} MB once it is read, "
        f"{middle(1, 'fit_peak'):.0f} MB after the fit, {middle(1, 'score_peak'):.0f} MB after the score; "
        f"the command: fit {middle(0, 'fit_peak'):.0f} MB, score {middle(0, 'score_peak'):.0f} MB"
    )


def split(path, seed):
    """Training rows, test rows, test labels."""
    import numpy

    data = numpy.load(path, allow_pickle=True)
    x, y = data["X"].astype(float), data["y"].astype(int).ravel()
    random = numpy.random.default_rng(seed)
    normal = random.permutation(numpy.flatnonzero(y == 0))
    half = len(normal) // 2
    test = numpy.concatenate([normal[half:], numpy.flatnonzero(y == 1)])
    return x[normal[:half]], x[test], y[test]


def timed(estimator, train, test):
    """Seconds to fit and to score, and scores; the higher, the more anomalous."""
    start = time.perf_counter()
    estimator.fit(train)
    fitted = time.perf_counter()
    scores = estimator.decision_function(test)
    return fitted - start, time.perf_counter() - fitted, scores


def beside_pyod(arguments):
    import torch
    from narrows.pyod import AutoEncoder
    from pyod.models.auto_encoder import AutoEncoder as Rival
    from sklearn.metrics import roc_auc_score

    torch.set_num_threads(arguments.threads)
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("pyod", "torch"))
    print(
        f"{versions}; {arguments.threads} threads; medians of {arguments.runs} seeds; a ratio is PyOD / narrows of one seed"
    )
    print("| table | rows | columns | AUC narrows | AUC PyOD | fit s | fit ratio | score s | score ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for path in sorted(pathlib.Path(arguments.folder).glob("*.npz")):
        if arguments.only and not any(name in path.stem for name in arguments.only.split(",")):
            continue
        rows = []
        for seed in range(arguments.runs):
            train, test, labels = split(path, seed)
            estimators = [AutoEncoder(random_state=seed, n_jobs=arguments.threads), Rival(random_state=seed, verbose=0)]
            order = (0, 1) if seed % 2 == 0 else (1, 0)
            found = {i: timed(estimators[i], train, test) for i in order}
            rows.append(
                [
                    *(roc_auc_score(labels, found[i][2]) for i in (0, 1)),
                    *(x for k in (0, 1) for x in (found[0][k], found[1][k] / found[0][k])),
                ]
            )
        auc, rival, fit, fit_ratio, score, score_ratio = (
            statistics.median(column) for column in zip(*rows, strict=True)
        )
        print(
            f"| {path.stem} | {len(train)} + {len(test)} | {train.shape[1]} | {auc:.3f} | {rival:.3f} | {fit:.1f} | "
            f"{fit_ratio:.1f} | {score:.3f} | {score_ratio:.1f} |",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    jobs = parser.add_subparsers(dest="job", required=True)
    first = jobs.add_parser("door")
    first.add_argument("--narrows", default="target/release/narrows")
    first.add_argument("--rows", type=int, default=285_000)
    first.add_argument("--runs", type=int, default=5)
    second = jobs.add_parser("pyod")
    second.add_argument("folder")
    second.add_argument("--runs", type=int, default=3)
    second.add_argument("--only", help="parts of the names of tables, separated by commas")
    arguments = parser.parse_args()
    door(arguments) if arguments.job == "door" else beside_pyod(arguments)


if __name__ == "__main__":
    main()
