"""What the measurements of row anomalies share: `narrows` as a process, its rivals, and the table of results.

needs numpy and scikit-learn; `pyod` needs pyod and torch
"""

import csv
import pathlib
import subprocess
import tempfile
import time

import numpy
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler


def narrows(binary, fit_flags, train, test, seed):
    """Scores of the test rows by a model of the training rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        header = ",".join(f"x{i}" for i in range(train.shape[1]))
        for part, rows in (("train", train), ("test", test)):
            numpy.savetxt(folder / f"{part}.csv", rows, "%.9g", ",", header=header, comments="")
        run = lambda *words: subprocess.run([binary, *map(str, words), "--quiet"], check=True)
        run("fit", folder / "train.csv", "-o", folder / "m.narrows", "--seed", seed, *fit_flags)
        run("score", folder / "m.narrows", folder / "test.csv", "--force", "-o", folder / "scores.csv")
        with open(folder / "scores.csv", newline="") as file:
            return numpy.array([float(row["score"]) for row in csv.DictReader(file)])


def rival(name, train, test, seed):
    """Scores of the test rows by another detector, on standardised columns."""
    scaler = StandardScaler().fit(train)
    a, b = scaler.transform(train), scaler.transform(test)
    if name == "pca":
        from sklearn.decomposition import PCA

        pca = PCA(0.9, svd_solver="full").fit(a)
        return ((b - pca.inverse_transform(pca.transform(b))) ** 2).mean(1)
    if name == "isolation_forest":
        from sklearn.ensemble import IsolationForest

        return -IsolationForest(random_state=seed).fit(a).score_samples(b)
    if name == "knn":
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors(n_neighbors=5).fit(a).kneighbors(b)[0][:, -1]
    if name == "pyod":
        from pyod.models.auto_encoder import AutoEncoder

        return AutoEncoder(random_state=seed, verbose=0).fit(train).decision_function(test)
    raise SystemExit(f"expected a rival among pca, isolation_forest, knn, pyod, got {name}")


def compare(tables, methods, seeds, binary, fit_flags):
    """Prints AUC-ROC, AUC-PR and seconds by table and method, then the means with their standard error over tables.

    `tables` are pairs of a name and a function from a seed to training rows, test rows and test labels.
    """
    means = {method: [] for method in methods}
    for name, rows in tables:
        for method in methods:
            found = []
            for seed in range(seeds):
                train, test, labels = rows(seed)
                start = time.time()
                if method == "narrows":
                    scores = narrows(binary, fit_flags, train, test, seed)
                else:
                    scores = rival(method, train, test, seed)
                taken = time.time() - start
                found.append((roc_auc_score(labels, scores), average_precision_score(labels, scores), taken))
            roc, pr, seconds = numpy.mean(found, 0)
            spread = numpy.std(found, 0)[0]
            means[method].append((roc, pr, seconds))
            print(f"{name:16} {method:16} auc_roc {roc:.4f} +- {spread:.4f}  auc_pr {pr:.4f}  {seconds:6.2f} s", flush=True)
    print()
    for method in methods:
        roc, pr, seconds = numpy.mean(means[method], 0)
        print(f"MEAN of {len(tables)} tables, {seeds} seeds: {method:16} auc_roc {roc:.4f}  auc_pr {pr:.4f}  {seconds:6.2f} s")
    if "narrows" in methods and len(tables) > 1:
        ours = numpy.array(means["narrows"])
        for method in methods:
            if method != "narrows":
                gain = ours - numpy.array(means[method])
                error = gain.std(0, ddof=1) / len(tables) ** 0.5
                print(
                    f"narrows - {method:16} auc_roc {gain[:, 0].mean():+.4f} ({error[0]:.4f})"
                    f"  auc_pr {gain[:, 1].mean():+.4f} ({error[1]:.4f})"
                )


def arguments(description, baselines="pca,isolation_forest,knn"):
    """The arguments that all of these scripts have."""
    import argparse

    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fit", default="", help="flags for `narrows fit`")
    parser.add_argument("--baselines", default=baselines)
    parser.add_argument("--only", default="", help="names of tables, separated by commas")
    return parser


def run(args, tables):
    """Compares on the tables that `--only` names, all by default."""
    import shlex

    only = set(filter(None, args.only.split(",")))
    tables = [(name, rows) for name, rows in tables if not only or name in only]
    if not tables:
        raise SystemExit(f"expected .npz tables in {args.folder}, got none")
    methods = ["narrows", *filter(None, args.baselines.split(","))]
    compare(tables, methods, args.seeds, args.narrows, shlex.split(args.fit))
