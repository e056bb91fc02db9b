"""Anomaly detection with normal training rows only, `narrows` beside baselines, on tables with labels.

Every table is an .npz with `X` and `y` (1 = anomaly), as the public ADBench collection has them. A random half of the
normal rows trains; the other half and all anomalies test. No label reaches any training, no setting differs by table.

    python bench/one_class.py FOLDER [--narrows target/release/narrows] [--seeds 3] [--fit "--preset deep"]
                              [--baselines pca,isolation_forest,knn,pyod] [--rows 20000] [--only 42_WBC,43_WDBC]

`--rows 0` uses all rows; a table with more rows than the limit is sampled.

needs numpy and scikit-learn; `pyod` needs pyod and torch
"""

import numpy

import detectors


def split(path, seed, most):
    """Training rows, test rows, test labels."""
    data = numpy.load(path, allow_pickle=True)
    x, y = data["X"].astype(float), data["y"].astype(int).ravel()
    random = numpy.random.default_rng(seed)
    if most and len(x) > most:
        rows = random.permutation(len(x))[:most]
        x, y = x[rows], y[rows]
    normal = random.permutation(numpy.flatnonzero(y == 0))
    half = len(normal) // 2
    test = numpy.concatenate([normal[half:], numpy.flatnonzero(y == 1)])
    return x[normal[:half]], x[test], y[test]


def main():
    parser = detectors.arguments(__doc__)
    parser.add_argument("--rows", type=int, default=20_000, help="most rows of a table; 0 for all")
    args = parser.parse_args()
    paths = sorted(args.folder.glob("*.npz"))
    detectors.run(args, [(path.stem, lambda seed, path=path: split(path, seed, args.rows)) for path in paths])


if __name__ == "__main__":
    main()
