"""Which criterion should choose a recipe for detection where there is no label? Evidence for `narrows tune --for detection`.

On every table some recipes are fitted to normal rows. Each candidate criterion, which sees normal rows only, says which
recipe is best; the labels of a test half, which no fit and no criterion sees, say which one is. Printed: the rank
correlation of each criterion with the true AUC-ROC over the recipes, mean over tables, and the AUC-ROC that is won or lost
by choosing with it instead of taking the default recipe.

    reconstruction  error on held-out rows
    stability       1 - rank correlation of held-out scores under two seeds
    uniform         1 - AUC-ROC of held-out rows against points drawn evenly from the box around them
    shuffled        1 - AUC-ROC of held-out rows against rows whose every cell comes from another row
    swapped         1 - AUC-ROC of held-out rows against rows of which a fifth of the cells come from another row
    product         reconstruction times swapped: a network that copies rebuilds well and tells nothing apart

    python bench/tune_criterion.py FOLDER [--narrows target/release/narrows] [--seeds 2] [--score mix]

FOLDER holds .npz with `X` and `y` (1 = anomaly), as the public ADBench collection has them; needs numpy and scikit-learn
"""

import argparse
import csv
import json
import pathlib
import subprocess
import tempfile

import numpy
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

MOST_TRAINING_ROWS = 2_000
TABLES = [
    "14_glass", "18_Ionosphere", "2_annthyroid", "27_PageBlocks", "28_pendigits", "29_Pima",
    "31_satimage-2", "38_thyroid", "4_breastw", "42_WBC", "43_WDBC", "47_yeast",
]  # fmt: skip


def ensemble(kind, field, strengths):
    return "members=[" + ", ".join(f'{{ kind = "{kind}", {field} = {s} }}' for s in strengths) + "]"


RECIPES = {
    "default": [],
    "code 2": ["backbone.code_size=2"],
    "code 8": ["backbone.code_size=8"],
    "code 32": ["backbone.code_size=32"],
    "no corruption": ["members=[{ kind = \"none\" }, { kind = \"none\" }, { kind = \"none\" }, { kind = \"none\" }]"],
    "masking": [ensemble("masking", "rate", [0.5, 0.3, 0.2, 0.1])],
    "swap": [ensemble("swap", "rate", [0.5, 0.3, 0.2, 0.1])],
    "weak noise": [ensemble("gaussian", "sigma", [0.1, 0.05, 0.03, 0.02])],
    "mae, code 8": ["loss=mae", "backbone.code_size=8"],
    "one layer": ["backbone.nodes=[]", "backbone.code_size=8", "backbone.code_activation=identity"],
    "low rate": ["train.learning_rate=0.0003"],
}


def split(path, seed):
    """Rows that fit, rows that criteria see, rows and labels that say the truth."""
    data = numpy.load(path, allow_pickle=True)
    x, y = data["X"].astype(float), data["y"].astype(int).ravel()
    random = numpy.random.default_rng(seed)
    normal = random.permutation(numpy.flatnonzero(y == 0))
    half = len(normal) // 2
    known, fresh = normal[:half][: MOST_TRAINING_ROWS * 5 // 4], normal[half:][:5_000]
    held = len(known) // 5
    test = numpy.concatenate([fresh, numpy.flatnonzero(y == 1)])
    return x[known[held:]], x[known[:held]], x[test], y[test]


def made_up(held, random):
    """Rows that nobody has seen, by three rules."""
    n, width = held.shape
    columns = numpy.arange(width)
    others = held[random.integers(0, n, (n, width)), columns]
    struck = random.random((n, width)) < 0.2
    struck[numpy.arange(n), random.integers(0, width, n)] = True
    low, high = held.min(0), held.max(0)
    room = 0.1 * (high - low)
    return {
        "uniform": random.uniform(low - room, high + room, (n, width)),
        "shuffled": others,
        "swapped": numpy.where(struck, others, held),
    }


def write(path, rows):
    header = ",".join(f"x{i}" for i in range(rows.shape[1]))
    numpy.savetxt(path, rows, "%.9g", ",", header=header, comments="")


def judge(binary, flags, seed, folder):
    """Held-out error of a fit, and its scores of every file."""
    run = lambda *words: subprocess.run([binary, *map(str, words), "--threads", "1"], check=True, capture_output=True)
    model = folder / "m.narrows"
    report = run("fit", folder / "train.csv", "-o", model, "--force", "--seed", seed, "--json", *flags)
    error = json.loads(report.stdout)["pca"]["model_error"]
    scores = {}
    for name in ("held", "test", "uniform", "shuffled", "swapped"):
        run("score", model, folder / f"{name}.csv", "--force", "-o", folder / "scores.csv", "--quiet")
        with open(folder / "scores.csv", newline="") as file:
            scores[name] = numpy.array([float(row["score"]) for row in csv.DictReader(file)])
    return error, scores


def auc(normal, anomalous):
    return roc_auc_score([0] * len(normal) + [1] * len(anomalous), numpy.concatenate([normal, anomalous]))


def one_table(arguments, path):
    """For each recipe: true AUC-ROC, and what each criterion says, lower being better."""
    train, held, test, y = split(path, 0)
    found = {}
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        parts = {"train": train, "held": held, "test": test, **made_up(held, numpy.random.default_rng(1))}
        for part, rows in parts.items():
            write(folder / f"{part}.csv", rows)
        for recipe, changes in RECIPES.items():
            flags = ["--preset", "auto", "--set", f"detect.score={arguments.score}"]
            flags += [word for change in changes for word in ("--set", change)]
            judged = [judge(arguments.narrows, flags, seed, folder) for seed in range(arguments.seeds)]
            criteria = {"reconstruction": numpy.mean([error for error, _ in judged])}
            if len(judged) > 1:
                criteria["stability"] = 1 - spearmanr(judged[0][1]["held"], judged[1][1]["held"]).statistic
            for rule in ("uniform", "shuffled", "swapped"):
                criteria[rule] = 1 - numpy.mean([auc(scores["held"], scores[rule]) for _, scores in judged])
            criteria["product"] = criteria["reconstruction"] * (0.01 + criteria["swapped"])
            found[recipe] = (numpy.mean([roc_auc_score(y, scores["test"]) for _, scores in judged]), criteria)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--score", default="mix", help="detect.score of every recipe: mix or residual")
    parser.add_argument("--only", default="", help="tables, by name, with commas between")
    arguments = parser.parse_args()
    tables = arguments.only.split(",") if arguments.only else TABLES
    correlations, gains = {}, {}
    for table in tables:
        found = one_table(arguments, arguments.folder / f"{table}.npz")
        truth = numpy.array([auc for auc, _ in found.values()])
        words = [f"{recipe} {auc:.3f}" for recipe, (auc, _) in found.items()]
        print(f"{table}: {', '.join(words)}", flush=True)
        for criterion in next(iter(found.values()))[1]:
            values = numpy.array([criteria[criterion] for _, criteria in found.values()])
            # A criterion that says the same of all recipes says nothing.
            rho = spearmanr(-values, truth).statistic if numpy.ptp(values) > 0 else 0.0
            correlations.setdefault(criterion, []).append(rho)
            gains.setdefault(criterion, []).append(truth[values.argmin()] - truth[0])
        gains.setdefault("the truth", []).append(truth.max() - truth[0])
        gains.setdefault("chance", []).append(truth.mean() - truth[0])
    print(f"\n{'criterion':<16}{'correlation':>12}{'gain':>9}{'worst':>9}   AUC-ROC won by choosing with it, on {len(tables)} tables")
    for criterion, gain in gains.items():
        rho = f"{numpy.mean(correlations[criterion]):.2f}" if criterion in correlations else ""
        print(f"{criterion:<16}{rho:>12}{numpy.mean(gain):>9.3f}{numpy.min(gain):>9.3f}")


if __name__ == "__main__":
    main()
