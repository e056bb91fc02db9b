"""Anomaly detection without clean rows: fit and score the same table, `narrows` beside baselines.

Every table is an .npz with `X` and `y` (1 = anomaly), as the public ADBench collection has them; labels only measure.
`--made` takes four tables made of scikit-learn's data and generators instead: breast cancer with 25 malignant rows,
digits with 40 fours, blobs with a tight far cluster, and blobs with uniform noise. `--kdd` takes KDD99 connections
instead: a folder of val_inliers.csv, the rows of the fit with unlabelled attacks among them, and of test_inliers.csv and
test_outliers.csv.

    python bench/unsupervised.py FOLDER [--made | --kdd] [--narrows target/release/narrows] [--seeds 3]
                                 [--fit "--contamination 10%"] [--baselines pca,isolation_forest,knn,pyod] [--rows 20000]

`--rows 0` uses all rows; a table with more rows than the limit is sampled. `knn` finds each row as its own nearest.

needs numpy and scikit-learn; `pyod` needs pyod and torch
"""

import numpy
from sklearn.datasets import load_breast_cancer, load_digits, make_blobs

import detectors


def whole(path, seed, most):
    """All rows, twice, and their labels."""
    data = numpy.load(path, allow_pickle=True)
    x, y = data["X"].astype(float), data["y"].astype(int).ravel()
    if most and len(x) > most:
        rows = numpy.random.default_rng(seed).permutation(len(x))[:most]
        x, y = x[rows], y[rows]
    return x, x, y


def mixed(normal, odd, random):
    """Normal and odd rows in random order, twice, and their labels."""
    x = numpy.concatenate([normal, odd])
    y = numpy.repeat([0, 1], [len(normal), len(odd)])
    order = random.permutation(len(x))
    return x[order], x[order], y[order]


def breast_cancer(seed):
    random = numpy.random.default_rng(seed)
    x, y = load_breast_cancer(return_X_y=True)
    return mixed(x[y == 1], random.permutation(x[y == 0])[:25], random)


def fours(seed):
    random = numpy.random.default_rng(seed)
    x, y = load_digits(return_X_y=True)
    return mixed(x[y != 4], random.permutation(x[y == 4])[:40], random)


def blobs(seed):
    return make_blobs(n_samples=1000, n_features=8, centers=3, cluster_std=1.0, random_state=seed)[0]


def far_cluster(seed):
    random = numpy.random.default_rng(seed)
    return mixed(blobs(seed), random.normal(25.0, 0.1, (40, 8)), random)


def uniform_noise(seed):
    random = numpy.random.default_rng(seed)
    return mixed(blobs(seed), random.uniform(-20.0, 20.0, (40, 8)), random)


MADE = {"breast_cancer": breast_cancer, "fours": fours, "far_cluster": far_cluster, "uniform_noise": uniform_noise}


def kdd(folder):
    """Dirty rows of a fit, then rows to score and their labels."""
    read = lambda name: numpy.loadtxt(folder / f"{name}.csv", delimiter=",", skiprows=1)[:, :-1]
    normal, odd = read("test_inliers"), read("test_outliers")
    return read("val_inliers"), numpy.concatenate([normal, odd]), numpy.repeat([0, 1], [len(normal), len(odd)])


def main():
    parser = detectors.arguments(__doc__)
    parser.add_argument("--made", action="store_true", help="the four made tables, and no others")
    parser.add_argument("--kdd", action="store_true", help="KDD99 connections, and no other table")
    parser.add_argument("--rows", type=int, default=20_000, help="most rows of a table; 0 for all")
    args = parser.parse_args()
    tables = [(p.stem, lambda seed, p=p: whole(p, seed, args.rows)) for p in sorted(args.folder.glob("*.npz"))]
    if args.made:
        tables = list(MADE.items())
    elif args.kdd:
        rows = kdd(args.folder)
        tables = [("kdd", lambda seed: rows)]
    detectors.run(args, tables)


if __name__ == "__main__":
    main()
