"""Anomaly detection on tables with fixed one-class splits, `narrows` beside baselines, as OddBench has them.

Every table is an .npz with `train` (normal rows), `test` and `label` (1 = anomaly). The split does not depend on the
seed. For confirming what was chosen elsewhere: nothing is chosen by these tables.

    python bench/oddbench.py FOLDER [--narrows target/release/narrows] [--seeds 3] [--fit "--preset deep"]
                             [--baselines pca,isolation_forest,knn,pyod]

needs numpy and scikit-learn; `pyod` needs pyod and torch
"""

import numpy

import detectors


def split(path):
    """Training rows, test rows, test labels."""
    data = numpy.load(path)
    return data["train"].astype(float), data["test"].astype(float), data["label"].astype(int)


def main():
    args = detectors.arguments(__doc__, baselines="knn").parse_args()
    paths = sorted(args.folder.glob("*.npz"))
    detectors.run(args, [(path.stem, lambda seed, path=path: split(path)) for path in paths])


if __name__ == "__main__":
    main()
