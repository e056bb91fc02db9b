"""New rows of tables beside those of SDV, and new digits: how well a classifier tells them from held-out ones.

    python bench/generate.py DATA [--narrows target/release/narrows] [--seeds 3] [--threads 2]
                             [--only payments,adbench,mnist] [--no-sdv]

DATA holds `adbench` and `mnist`.

payments   the rows of `narrows demo payments --data-only` that are no fraud, without the label: identifier, date, a
           constant, words, a flag, counts and money.
adbench    the normal rows of five tables, chosen by size before anything was measured: all with 2,000 to 8,000 rows and 6
           to 40 columns, one of those that share their source (landsat, PageBlocks, pendigits, annthyroid, Waveform).

Of each table 70 % train, chosen by the seed, and the others judge: as many new rows as there are held-out ones, a forest
of 300 extremely randomised trees, AUC in a cross-validation of five folds (0.5: it cannot tell them apart). Columns are
numbers; words are counted out, dates are the day and the time of day, a missing cell is -1 in units of the range below the
least. Identifiers are left out. `floor` is that AUC for training rows in the place of new ones: what a perfect copy
would get. `copies`: new rows that equal a training row, to six digits, and the same of held-out rows. Rivals are
GaussianCopulaSynthesizer and, if PyTorch is there, TVAESynthesizer of SDV, with their defaults.

mnist      `--preset variational` with a code of 16 units, 60,000 training images; 10,000 new ones. The same forest on
           pixels tells them from test images; a forest fitted to the training images says how sure it is of a digit:
           `recognised` is the share of new images whose most probable digit has at least the probability that 95 % of
           the test images have.

needs numpy, pandas, scikit-learn; sdv for the rivals, pillow for mnist
"""

import argparse
import gzip
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

TABLES = ["19_landsat", "27_PageBlocks", "28_pendigits", "2_annthyroid", "41_Waveform"]
IDENTIFIERS = ["payment_id"]


def forest(seed):
    return ExtraTreesClassifier(300, min_samples_leaf=2, random_state=seed, n_jobs=-1)


def told_apart(new, old, seed):
    """AUC of a forest that tells new rows from old ones."""
    rows = np.concatenate([new, old])
    labels = np.r_[np.ones(len(new)), np.zeros(len(old))]
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    chances = cross_val_predict(forest(seed), rows, labels, cv=folds, method="predict_proba")[:, 1]
    return roc_auc_score(labels, chances)


def numbers(frames, like):
    """The frames as matrices of numbers, in the columns of `like`."""
    parts = {}
    for name in like.columns:
        if name in IDENTIFIERS:
            continue
        column = pd.concat([frame[name] for frame in frames], ignore_index=True)
        if name == "time":
            moment = pd.to_datetime(column)
            parts["day"] = (moment - pd.Timestamp("2020-01-01")).dt.days
            parts["clock"] = moment.dt.hour + moment.dt.minute / 60
        elif pd.api.types.is_numeric_dtype(like[name]) and not pd.api.types.is_bool_dtype(like[name]):
            parts[name] = pd.to_numeric(column)
        else:
            parts[name] = column.astype(str).str.lower().astype("category").cat.codes
    matrix = pd.DataFrame(parts)
    matrix = matrix.fillna(matrix.min() - (matrix.max() - matrix.min())).to_numpy(float)
    cuts = np.cumsum([len(frame) for frame in frames])[:-1]
    return np.split(matrix, cuts)


def copies(rows, train):
    known = {tuple(row) for row in np.round(train, 6)}
    return sum(tuple(row) in known for row in np.round(rows, 6))


def ours(command, folder, train, n, seed, threads):
    train.to_csv(folder / "train.csv", index=False)
    model = folder / "m.narrows"
    fit = [command, "fit", folder / "train.csv", "--preset", "variational", "--seed", seed, "--threads", threads, "-q"]
    run([*fit, "--force", "-o", model])
    run([command, "generate", model, "-n", n, "--threads", threads, "-q", "--force", "-o", folder / "new.csv"])
    return pd.read_csv(folder / "new.csv")


def run(words):
    subprocess.run([str(word) for word in words], check=True)


def rival(name):
    def made(train, n, seed):
        from sdv.metadata import Metadata
        from sdv.single_table import GaussianCopulaSynthesizer, TVAESynthesizer

        np.random.seed(seed)
        metadata = Metadata.detect_from_dataframe(train)
        kind = GaussianCopulaSynthesizer if name == "copula" else TVAESynthesizer
        synthesizer = kind(metadata)
        synthesizer.fit(train)
        return synthesizer.sample(n)

    return made


def table(name, frame, options, folder):
    tools = {"ours": lambda train, n, seed: ours(options.narrows, folder, train, n, seed, options.threads)}
    if not options.no_sdv:
        tools["SDV GaussianCopula"] = rival("copula")
        try:
            import torch  # noqa: F401

            tools["SDV TVAE"] = rival("tvae")
        except ImportError:
            pass
    found = {tool: [] for tool in ["floor", *tools]}
    for seed in range(options.seeds):
        order = np.random.default_rng(seed).permutation(len(frame))
        cut = int(0.7 * len(frame))
        train = frame.iloc[np.sort(order[:cut])].reset_index(drop=True)
        held_out = frame.iloc[order[cut:]].reset_index(drop=True)
        known, judge = numbers([train, held_out], frame)
        some = known[np.random.default_rng(seed).permutation(len(known))[: len(judge)]]
        found["floor"].append([told_apart(some, judge, seed), 0, copies(judge, known)])
        for tool, make in tools.items():
            begun = time.perf_counter()
            new = make(train, len(held_out), seed)
            seconds = time.perf_counter() - begun
            matrices = numbers([train, held_out, new[frame.columns]], frame)
            auc = told_apart(matrices[2], matrices[1], seed)
            found[tool].append([auc, seconds, copies(matrices[2], matrices[0])])
    for tool, rows in found.items():
        (auc, seconds, same), spread = np.mean(rows, 0), np.std([row[0] for row in rows])
        print(f"{name:14} {tool:20} AUC {auc:.3f} +- {spread:.3f}  {seconds:6.1f} s  {same:.1f} copies", flush=True)
    return {tool: np.mean(rows, 0)[0] for tool, rows in found.items()}


def payments(options, folder):
    data = folder / "payments.csv"
    run([options.narrows, "demo", "payments", "--data-only", "-q", "-o", data])
    frame = pd.read_csv(data)
    frame = frame[frame["is_fraud"] == 0].drop(columns="is_fraud").reset_index(drop=True)
    table("payments", frame, options, folder)


def adbench(options, folder):
    found = []
    for name in TABLES:
        held = np.load(options.data / f"adbench/{name}.npz", allow_pickle=True)
        rows = held["X"][held["y"] == 0]
        frame = pd.DataFrame(rows, columns=[f"x{i}" for i in range(rows.shape[1])])
        found.append(table(name, frame, options, folder))
    for tool in found[0]:
        print(f"{'mean of five':14} {tool:20} AUC {np.mean([aucs[tool] for aucs in found]):.3f}", flush=True)


def mnist(options, folder):
    from PIL import Image

    def box(part, kind, start):
        with gzip.open(options.data / f"mnist/{part}-{kind}-ubyte.gz") as file:
            return np.frombuffer(file.read()[start:], np.uint8)

    train, test = [box(part, "images-idx3", 16).reshape(-1, 784) for part in ("train", "t10k")]
    labels = box("train", "labels-idx1", 8)
    judge = forest(0).fit(train, labels)
    sure = np.quantile(judge.predict_proba(test).max(1), 0.05)
    for seed in range(options.seeds):
        begun = time.perf_counter()
        model = folder / "digits.narrows"
        flags = ["--preset", "variational", "--set", "backbone.code_size=16", "--seed", seed, "--threads", options.threads]
        run([options.narrows, "fit", options.data / "mnist/train-images-idx3-ubyte.gz", *flags, "-q", "--force", "-o", model])
        new = folder / f"digits{seed}"
        run([options.narrows, "generate", model, "-n", 10_000, "-q", "-o", new])
        seconds = time.perf_counter() - begun
        made = np.stack([np.asarray(Image.open(file).convert("L")).ravel() for file in sorted(new.glob("*.png"))])
        recognised = (judge.predict_proba(made).max(1) >= sure).mean()
        auc = told_apart(made[:2_000], test[:2_000], seed)
        print(f"mnist seed {seed}: AUC {auc:.3f}, recognised {100 * recognised:.1f} %, {seconds:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", default="payments,adbench")
    parser.add_argument("--no-sdv", action="store_true")
    options = parser.parse_args()
    parts = {"payments": payments, "adbench": adbench, "mnist": mnist}
    for part in options.only.split(","):
        if part not in parts:
            sys.exit(f"expected some of {', '.join(parts)}, got {part}")
        with tempfile.TemporaryDirectory() as folder:
            parts[part](options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
