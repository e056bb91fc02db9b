"""False alarms and power of `narrows drift`, beside alibi-detect's Kolmogorov-Smirnov and MMD tests.

    python bench/drift.py FOLDER [--narrows target/release/narrows] [--seeds 3] [--level 0.01] [--fit FLAGS] [--alibi-mmd]

FOLDER holds tables of the ADBench collection (`2_annthyroid.npz` and so on, with X and y). Of ten tables the normal rows
are split at random in two halves of at most 1,000 rows. A column of words is added, the quarter of the training rows that
a value of one column falls in. One half is fitted, the other is compared with it: as it is, where any drift found is a
false alarm, and with one change. The changed column is chosen at random among those with at least five values.

shift        0.5 standard deviations are added
scale        distances from the mean are 1.5 times as great
correlation  the values of the column are dealt out among the rows anew: its distribution stays, what it has to do with the
             others goes; of this and the next, the column with the greatest correlation to another one
level        5 % of the words are one that no training row has
missing      5 % of the cells are removed

`KS` is `alibi_detect.cd.KSDrift`, each column by itself with Bonferroni's correction, or `scipy.stats.ks_2samp` with that
correction where alibi-detect is not installed: the same test. `MMD` is the maximum mean discrepancy of columns of unit
variance (Gaussian kernel of the median distance) with 500 permutations, of our own, as alibi-detect's takes half a minute
for each comparison; `--alibi-mmd` takes `alibi_detect.cd.MMDDrift` with its default of 100. Both get words as numbers, and
the median for missing cells.
`significant` counts runs in which any corrected p-value of ours is at most the level, whatever the size of the change;
`the change` those in which what was changed is named: the column, for a correlation the scores.

needs numpy and scipy or alibi-detect; --alibi-mmd needs alibi-detect[tensorflow]
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import tempfile

import numpy

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
try:
    from alibi_detect.cd import KSDrift, MMDDrift
except ImportError:
    KSDrift = None

TABLES = [
    "2_annthyroid",
    "4_breastw",
    "18_Ionosphere",
    "27_PageBlocks",
    "28_pendigits",
    "29_Pima",
    "38_thyroid",
    "41_Waveform",
    "43_WDBC",
    "47_yeast",
]
ROWS = 1000
PERMUTATIONS = 500
CHANGES = ["unchanged", "shift", "scale", "correlation", "level", "missing"]
WORDS = ["low", "lower", "higher", "high", "new"]


def write(path, rows, words):
    header = ",".join([f"x{j}" for j in range(rows.shape[1])] + ["word"])
    cell = lambda x: "" if numpy.isnan(x) else repr(float(x))
    lines = [",".join([cell(x) for x in row] + [WORDS[word]]) for row, word in zip(rows, words)]
    path.write_text("\n".join([header, *lines]) + "\n")


def changed(rows, words, change, column, rng):
    rows, words = rows.copy(), words.copy()
    x = rows[:, column]
    some = rng.permutation(len(x))[: round(0.05 * len(x))]
    if change == "shift":
        x += 0.5 * x.std()
    elif change == "scale":
        x[:] = x.mean() + 1.5 * (x - x.mean())
    elif change == "correlation":
        x[:] = rng.permutation(x)
    elif change == "level":
        words[some] = 4
    elif change == "missing":
        x[some] = numpy.nan
    return rows, words


def most_correlated(rows, many):
    """Of the columns `many`, the one with the greatest correlation to another one."""
    with numpy.errstate(invalid="ignore", divide="ignore"):
        found = numpy.abs(numpy.nan_to_num(numpy.corrcoef(rows.T)))
    numpy.fill_diagonal(found, 0)
    return max(many, key=lambda j: found[j].max())


def corrected(report):
    found = [report["score"]["corrected"], report["threshold"]["corrected"]]
    for column in report["columns"]:
        found += [column["corrected"], column["missing"]["corrected"]]
    return min(p for p in found if p is not None)


def as_numbers(rows, words, medians):
    return numpy.column_stack([numpy.where(numpy.isnan(rows), medians, rows), words]).astype(numpy.float32)


def ks(train, new, level):
    if KSDrift is not None:
        return bool(KSDrift(train, p_val=level).predict(new)["data"]["is_drift"])
    from scipy.stats import ks_2samp

    p_values = [ks_2samp(a, b).pvalue for a, b in zip(train.T, new.T)]
    return min(p_values) <= level / len(p_values)


def mmd(train, new, level, rng, by_alibi):
    spread = train.std(axis=0)
    train, new = [x / numpy.where(spread > 0, spread, 1) for x in (train, new)]
    if by_alibi:
        return bool(MMDDrift(train, p_val=level).predict(new)["data"]["is_drift"])
    both = numpy.concatenate([train, new]).astype(float)
    norms = (both**2).sum(axis=1)
    squares = numpy.maximum(norms[:, None] + norms[None, :] - 2 * both @ both.T, 0)
    kernel = numpy.exp(-squares / numpy.median(squares[numpy.triu_indices(len(both), 1)]))
    numpy.fill_diagonal(kernel, 0)
    n, m = len(train), len(new)
    first = numpy.where(numpy.arange(n + m) < n, 1.0, 0.0)
    # The split as it is, then permutations of it.
    splits = numpy.stack([first] + [rng.permutation(first) for _ in range(PERMUTATIONS)])
    within = ((splits @ kernel) * splits).sum(axis=1)
    of_first = splits @ kernel.sum(axis=1)
    others = kernel.sum() - 2 * of_first + within
    found = within / (n * (n - 1)) + others / (m * (m - 1)) - 2 * (of_first - within) / (n * m)
    return (1 + (found[1:] >= found[0]).sum()) / (PERMUTATIONS + 1) <= level


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--level", type=float, default=0.01)
    parser.add_argument("--fit", default="")
    parser.add_argument("--tables", default=",".join(TABLES))
    parser.add_argument("--alibi-mmd", action="store_true")
    args = parser.parse_args()

    names = ["drift", "significant", "the change", "KS", "MMD"]
    print("KS of", "SciPy" if KSDrift is None else "alibi-detect", flush=True)
    sums = {change: numpy.zeros(1 + len(names)) for change in CHANGES}
    for name in args.tables.split(","):
        data = numpy.load(args.folder / f"{name}.npz", allow_pickle=True)
        normal = data["X"][data["y"].ravel() == 0].astype(float)
        of_table = {change: numpy.zeros(1 + len(names)) for change in CHANGES}
        for seed in range(args.seeds):
            rng = numpy.random.default_rng(seed)
            rows = normal[rng.permutation(len(normal))][: 2 * ROWS]
            half = len(rows) // 2
            train, test = rows[:half], rows[half : 2 * half]
            many = [j for j in range(rows.shape[1]) if len(numpy.unique(train[:, j])) >= 5]
            column, worded = rng.choice(many, 2)
            together = most_correlated(train, many)
            quarters = numpy.quantile(train[:, worded], [0.25, 0.5, 0.75])
            train_words, test_words = [numpy.searchsorted(quarters, x[:, worded]) for x in (train, test)]
            medians = numpy.median(train, axis=0)
            known = as_numbers(train, train_words, medians)
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)

                def run(*words):
                    return subprocess.run([args.narrows, *words], check=True, capture_output=True, text=True)

                write(folder / "train.csv", train, train_words)
                model = str(folder / "m.narrows")
                flags = [*shlex.split(args.fit), "--set", f"seed={seed}"]
                run("fit", str(folder / "train.csv"), "-o", model, "-q", *flags)
                for change in CHANGES:
                    which = together if change == "correlation" else column
                    new, new_words = changed(test, test_words, change, which, rng)
                    write(folder / "new.csv", new, new_words)
                    words = ("drift", model, str(folder / "new.csv"), "--json", "--level", str(args.level))
                    report = json.loads(run(*words).stdout)
                    drifted = {
                        c["column"] for c in report["columns"] if c["has_drifted"] or c["missing"]["has_drifted"]
                    }
                    if report["score"]["has_drifted"] or not report["threshold"]["stands"]:
                        drifted.add("score")
                    named = {"correlation": "score", "level": "word"}.get(change, f"x{which}")
                    numbers = as_numbers(new, new_words, medians)
                    of_table[change] += [
                        1,
                        report["has_drifted"],
                        corrected(report) <= args.level,
                        named in drifted,
                        ks(known, numbers, args.level),
                        mmd(known, numbers, args.level, rng, args.alibi_mmd),
                    ]
        told = "  ".join(f"{change} {of_table[change][1:].astype(int)}" for change in CHANGES)
        print(f"{name:<16} {half} rows, {rows.shape[1]} + 1 columns: {told}", flush=True)
        for change in CHANGES:
            sums[change] += of_table[change]

    print(f"\n{'':<12} {'runs':>5} " + " ".join(f"{name:>12}" for name in names))
    for change, (n, *counts) in sums.items():
        if change == "unchanged":
            counts[2] = numpy.nan
        told = " ".join(" " * 12 if numpy.isnan(count) else f"{count:>12.0f}" for count in counts)
        print(f"{change:<12} {n:>5.0f} {told}")


if __name__ == "__main__":
    main()
