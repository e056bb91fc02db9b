"""Heartbeats: the ECG5000 protocols of two well-known tutorials, with `narrows` as the autoencoder.

    python bench/ecg.py FOLDER_OR_NPZ [--narrows target/release/narrows] [--seeds 5] [--fit "--set detect.score=residual"]
                        [--only tutorial,notebook,rivals] [--presets auto,seq2seq] [--rules false_alarm_rate=0.01,mean_std=1]

The .npz has `X` of 5,000 beats of 140 points and `y` (1 = abnormal); a folder holds it as `ecg5000_all.npz`.

tutorial  TensorFlow's "Intro to Autoencoders": one fifth of all rows tests (train_test_split, random_state 21), all values
          min-max scaled by the training rows, normal training rows train. Its copy of the data has 4,998 rows in an order
          of its own, so its 1,000 test rows are not these. Its rule flags what lies above mean + 1 std of the error on
          normal training rows. `theirs` takes its network (140-32-16-8-16-32-140, absolute error, but a linear output) and
          reads the rule both ways: on all rows given to `fit`, as the tutorial does (`theirs, their rule`), and on held-out
          rows (mean_std=1). Accuracy is over all test rows; a share of false alarms above 0 caps it.
notebook  "Time series anomaly detection" with an LSTM autoencoder: of the normal rows 0.15 leave training, of those 0.33
          test, both with seed 42, so that 2,481 train and 145 test; 2,081 are abnormal. The notebook chose its threshold by
          eye; here rules do on held-out normal rows. Counted are right normal and, of the first 145, abnormal rows;
          balanced accuracy takes all 2,081. `l1` is the error in raw units, summed over a beat, over the 293 validation
          rows, which train nothing.

The first rule is the default one. 0.025 was chosen with labels, by 3 splits of the tutorial's four fifths: 469 normal and
1,657 abnormal rows (0.03 did as well). So no test row of the tutorial chose it, but most abnormal rows of the notebook did.

needs numpy and scikit-learn
"""

import argparse
import csv
import pathlib
import shlex
import subprocess
import tempfile
import time

import numpy
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

ROWS = ["--kind", "series", "--layout", "rows"]
THEIRS = "--preset deep --set backbone.nodes=[32,16] --set backbone.code_size=8 --set loss=mae --set prep.scaling=none"


class Model:
    """A fitted model in a folder of its own."""

    def __init__(self, binary, folder, train, flags, seed):
        self.binary, self.folder = binary, pathlib.Path(folder)
        self.write("train", train)
        start = time.time()
        self.run("fit", self.at("train.csv"), "-o", self.at("m.narrows"), "--force", "--seed", seed, *ROWS, *flags)
        self.seconds = time.time() - start

    def at(self, name):
        return self.folder / name

    def write(self, name, rows):
        header = ",".join(f"x{i}" for i in range(rows.shape[1]))
        numpy.savetxt(self.at(f"{name}.csv"), rows, "%.9g", ",", header=header, comments="")

    def run(self, *words):
        subprocess.run([self.binary, *map(str, words), "--quiet"], check=True)

    def score(self, rows, *flags):
        """Scores, and whether each is above the threshold."""
        self.write("rows", rows)
        self.run("score", self.at("m.narrows"), self.at("rows.csv"), "--force", "-o", self.at("scores.csv"), *flags)
        with open(self.at("scores.csv"), newline="") as file:
            found = [(float(row["score"]), row["is_anomaly"] == "true") for row in csv.DictReader(file)]
        return numpy.array([score for score, _ in found]), numpy.array([flag for _, flag in found])

    def reconstruct(self, rows):
        self.write("rows", rows)
        self.run("reconstruct", self.at("m.narrows"), self.at("rows.csv"), "--force", "-o", self.at("rebuilt.csv"))
        return numpy.genfromtxt(self.at("rebuilt.csv"), delimiter=",", skip_header=1)


def tell(name, found):
    """One line: means of the figures with their spread."""
    figures = {key: [one[key] for one in found] for key in found[0]}
    text = [f"{key} {numpy.mean(all_of):.4g} +- {numpy.std(all_of):.2g}" for key, all_of in figures.items()]
    print(f"{name:32} " + "  ".join(text), flush=True)


def tutorial(x, y, args):
    train, test, of_train, truth = train_test_split(x, y, test_size=0.2, random_state=21)
    low, high = train.min(), train.max()
    train, test = (train[of_train == 0] - low) / (high - low), (test - low) / (high - low)
    accuracy = lambda flags: float((flags == (truth == 1)).mean())
    print(f"tutorial: {len(train)} normal rows train, {(truth == 0).sum()} normal and {truth.sum()} abnormal test")
    kinds = {"theirs": THEIRS, **{preset: f"--preset {preset}" for preset in args.presets.split(",")}}
    for kind, flags in kinds.items():
        found = {}
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                model = Model(args.narrows, folder, train, shlex.split(flags) + shlex.split(args.fit), seed)
                for rule in args.rules.split(","):
                    scores, flagged = model.score(test, "--threshold", rule)
                    one = {"accuracy": accuracy(flagged), "auc_roc": roc_auc_score(truth, scores), "seconds": model.seconds}
                    found.setdefault(f"{kind}, {rule}", []).append(one)
                if kind == "theirs":
                    error = lambda rows: abs(model.reconstruct(rows) - rows).mean(1)
                    known, of_test = error(train), error(test)
                    flagged = of_test >= known.mean() + known.std()
                    one = {"accuracy": accuracy(flagged), "auc_roc": roc_auc_score(truth, of_test), "seconds": model.seconds}
                    found.setdefault("theirs, their rule", []).append(one)
        for name, figures in found.items():
            tell(name, figures)


def notebook_split(x, y):
    """Train, validation and test normal rows, and the abnormal."""
    train, rest = train_test_split(x[y == 0], test_size=0.15, random_state=42)
    validation, test = train_test_split(rest, test_size=0.33, random_state=42)
    return train, validation, test, x[y == 1]


def judge(scores, flagged, n):
    """Figures of the notebook, where the first `n` rows are normal."""
    false, right = flagged[:n], flagged[n:]
    return {
        f"normal_of_{n}": float((~false).sum()),
        "abnormal_of_145": float(right[:145].sum()),
        "balanced": float((1 - false.mean() + right.mean()) / 2),
        "auc_roc": roc_auc_score([0] * n + [1] * len(right), scores),
    }


def notebook(x, y, args):
    train, validation, normal, abnormal = notebook_split(x, y)
    test = numpy.concatenate([normal, abnormal])
    print(f"notebook: {len(train)} normal rows train, {len(normal)} normal and {len(abnormal)} abnormal test")
    for preset in args.presets.split(","):
        found = {}
        for seed in range(args.seeds):
            with tempfile.TemporaryDirectory() as folder:
                model = Model(args.narrows, folder, train, ["--preset", preset, *shlex.split(args.fit)], seed)
                rest = {"l1": abs(model.reconstruct(validation) - validation).sum(1).mean(), "seconds": model.seconds}
                for rule in args.rules.split(","):
                    figures = judge(*model.score(test, "--threshold", rule), len(normal))
                    found.setdefault(f"{preset}, {rule}", []).append({**figures, **rest})
        for name, figures in found.items():
            tell(name, figures)


def rivals(x, y, args):
    """5-NN and PCA on the notebook's rows, their thresholds as split-conformal as ours: a fifth of the training rows."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    train, _, normal, abnormal = notebook_split(x, y)
    test = numpy.concatenate([normal, abnormal])
    print("rivals on the notebook's rows, threshold at 1 % of held-out normal rows")
    fits = {
        "5-NN": lambda a: lambda b: NearestNeighbors(n_neighbors=5).fit(a).kneighbors(b)[0][:, -1],
        "PCA of 4": lambda a: pca_error(PCA(4).fit(a)),
        "PCA of 90 %": lambda a: pca_error(PCA(0.9, svd_solver="full").fit(a)),
    }
    pca_error = lambda pca: lambda b: ((b - pca.inverse_transform(pca.transform(b))) ** 2).mean(1)
    for name, fit in fits.items():
        found = []
        for seed in range(args.seeds):
            a, held_out = train_test_split(train, test_size=0.2, random_state=seed)
            score = fit(a)
            known, scores = numpy.sort(score(held_out)), score(test)
            line = known[int(numpy.ceil(0.99 * (len(known) + 1))) - 1]
            found.append(judge(scores, scores > line, len(normal)))
        tell(name, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--fit", default="", help="more flags for `narrows fit`")
    parser.add_argument("--presets", default="auto,seq2seq")
    parser.add_argument("--rules", default="false_alarm_rate=0.01,false_alarm_rate=0.025,mean_std=1", help="thresholds")
    parser.add_argument("--only", default="tutorial,notebook,rivals")
    args = parser.parse_args()
    path = args.data / "ecg5000_all.npz" if args.data.is_dir() else args.data
    data = numpy.load(path)
    x, y = data["X"].astype(float), data["y"].astype(int)
    parts = {"tutorial": tutorial, "notebook": notebook, "rivals": rivals}
    for name in args.only.split(","):
        if name not in parts:
            raise SystemExit(f"expected parts among {', '.join(parts)}, got {name}")
        parts[name](x, y, args)


if __name__ == "__main__":
    main()
