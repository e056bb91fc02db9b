"""False alarms and power of `narrows drift`, beside SciPy's Kolmogorov-Smirnov test of each column.

    python bench/drift.py FOLDER [--narrows target/release/narrows] [--seeds 5] [--level 0.01] [--fit FLAGS]

FOLDER holds tables of the ADBench collection (`2_annthyroid.npz` and so on, with X and y). Of ten tables the normal rows
are split at random in two halves of at most 1,000 rows: one is fitted, the other is compared with it, as it is (any drift
found is a false alarm) and with one column changed, chosen at random among those with at least ten values:

shift    0.5 standard deviations are added
scale    distances from the mean are 1.5 times as great
missing  5 % of the cells are removed

The rival is `scipy.stats.ks_2samp` on every column with Bonferroni's correction, which finds no missing cells.
`significant` counts runs in which any corrected p-value of ours is below the level, whatever the size of the change.

needs numpy and scipy
"""

import argparse
import json
import pathlib
import shlex
import subprocess
import tempfile

import numpy
from scipy.stats import ks_2samp

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
CHANGES = ["unchanged", "shift", "scale", "missing"]


def write(path, rows):
    header = ",".join(f"x{j}" for j in range(rows.shape[1]))
    lines = [",".join("" if numpy.isnan(x) else repr(float(x)) for x in row) for row in rows]
    path.write_text("\n".join([header, *lines]) + "\n")


def changed(rows, change, column, rng):
    rows = rows.copy()
    x = rows[:, column]
    if change == "shift":
        x += 0.5 * x.std()
    elif change == "scale":
        x[:] = x.mean() + 1.5 * (x - x.mean())
    elif change == "missing":
        x[rng.permutation(len(x))[: round(0.05 * len(x))]] = numpy.nan
    return rows


def corrected(report):
    found = [report["score"]["corrected"], report["threshold"]["corrected"]]
    for column in report["columns"]:
        found += [column["corrected"], column["missing"]["corrected"]]
    return min(p for p in found if p is not None)


def rival(train, test, level):
    """The columns that differ."""
    bound = level / train.shape[1]
    present = [(train[:, j], test[:, j][~numpy.isnan(test[:, j])]) for j in range(train.shape[1])]
    return [j for j, (a, b) in enumerate(present) if ks_2samp(a, b).pvalue <= bound]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--level", type=float, default=0.01)
    parser.add_argument("--fit", default="")
    args = parser.parse_args()

    sums = {change: numpy.zeros(6) for change in CHANGES}
    for name in TABLES:
        data = numpy.load(args.folder / f"{name}.npz", allow_pickle=True)
        normal = data["X"][data["y"].ravel() == 0].astype(float)
        of_table = {change: numpy.zeros(6) for change in CHANGES}
        for seed in range(args.seeds):
            rng = numpy.random.default_rng(seed)
            rows = normal[rng.permutation(len(normal))][: 2 * ROWS]
            half = len(rows) // 2
            train, test = rows[:half], rows[half:]
            many = [j for j in range(rows.shape[1]) if len(numpy.unique(train[:, j])) >= 5]
            column = many[rng.integers(len(many))]
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)

                def run(*words):
                    return subprocess.run([args.narrows, *words], check=True, capture_output=True, text=True)

                write(folder / "train.csv", train)
                model = str(folder / "m.narrows")
                flags = [*shlex.split(args.fit), "--set", f"seed={seed}"]
                run("fit", str(folder / "train.csv"), "-o", model, "-q", *flags)
                for change in CHANGES:
                    new = changed(test, change, column, rng)
                    write(folder / "new.csv", new)
                    words = ("drift", model, str(folder / "new.csv"), "--json", "--level", str(args.level))
                    report = json.loads(run(*words).stdout)
                    drifted = {
                        c["column"] for c in report["columns"] if c["has_drifted"] or c["missing"]["has_drifted"]
                    }
                    by_rival = rival(train, new, args.level)
                    of_table[change] += [
                        1,
                        report["has_drifted"],
                        corrected(report) <= args.level,
                        f"x{column}" in drifted,
                        bool(by_rival),
                        column in by_rival,
                    ]
        told = "  ".join(f"{change} {of_table[change][1:].astype(int)}" for change in CHANGES)
        print(f"{name:<16} {half} rows, {rows.shape[1]} columns: {told}", flush=True)
        for change in CHANGES:
            sums[change] += of_table[change]

    print(f"\n{'':<12} {'runs':>5} {'drift':>6} {'significant':>12} {'the column':>11} {'SciPy':>6} {'the column':>11}")
    for change, (n, *counts) in sums.items():
        drift, significant, column, scipy, by_scipy = counts
        column, by_scipy = ("", "") if change == "unchanged" else (f"{column:.0f}", f"{by_scipy:.0f}")
        print(f"{change:<12} {n:>5.0f} {drift:>6.0f} {significant:>12.0f} {column:>11} {scipy:>6.0f} {by_scipy:>11}")


if __name__ == "__main__":
    main()
