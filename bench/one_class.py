"""Anomaly detection with normal training rows only, `narrows` beside baselines, on tables with labels.

Every table is an .npz with `X` and `y` (1 = anomaly), as the public ADBench collection has them. A random half of the
normal rows trains; the other half and all anomalies test. No label reaches any training, no setting differs by table.

    python bench/one_class.py FOLDER [--narrows target/release/narrows] [--seeds 3] [--fit "--preset deep"]
                              [--baselines pca,isolation_forest,knn,pyod]

needs numpy and scikit-learn; `pyod` needs pyod and torch
"""

import argparse
import csv
import pathlib
import shlex
import subprocess
import tempfile
import time

import numpy
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

MOST_ROWS = 20_000


def split(path, seed):
    """Training rows, test rows, test labels."""
    data = numpy.load(path, allow_pickle=True)
    x, y = data["X"].astype(float), data["y"].astype(int).ravel()
    random = numpy.random.default_rng(seed)
    if len(x) > MOST_ROWS:
        rows = random.permutation(len(x))[:MOST_ROWS]
        x, y = x[rows], y[rows]
    normal = random.permutation(numpy.flatnonzero(y == 0))
    half = len(normal) // 2
    test = numpy.concatenate([normal[half:], numpy.flatnonzero(y == 1)])
    return x[normal[:half]], x[test], y[test]


def narrows(binary, fit_flags, train, test, seed):
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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fit", default="", help="flags for `narrows fit`")
    parser.add_argument("--baselines", default="pca,isolation_forest,knn")
    args = parser.parse_args()
    tables = sorted(args.folder.glob("*.npz"))
    if not tables:
        raise SystemExit(f"expected .npz tables in {args.folder}, got none")
    methods = ["narrows", *filter(None, args.baselines.split(","))]
    means = {method: [] for method in methods}
    for table in tables:
        for method in methods:
            found = []
            for seed in range(args.seeds):
                train, test, labels = split(table, seed)
                start = time.time()
                if method == "narrows":
                    scores = narrows(args.narrows, shlex.split(args.fit), train, test, seed)
                else:
                    scores = rival(method, train, test, seed)
                found.append((roc_auc_score(labels, scores), average_precision_score(labels, scores), time.time() - start))
            roc, pr, seconds = numpy.mean(found, 0)
            spread = numpy.std(found, 0)[0]
            means[method].append((roc, pr, seconds))
            print(f"{table.stem:16} {method:16} auc_roc {roc:.4f} +- {spread:.4f}  auc_pr {pr:.4f}  {seconds:6.2f} s", flush=True)
    print()
    for method in methods:
        roc, pr, seconds = numpy.mean(means[method], 0)
        print(f"MEAN of {len(tables)} tables, {args.seeds} seeds: {method:16} auc_roc {roc:.4f}  auc_pr {pr:.4f}  {seconds:6.2f} s")


if __name__ == "__main__":
    main()
