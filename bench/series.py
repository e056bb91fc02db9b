"""Anomalies in time series, `narrows` beside sub-sequence PCA, by VUS-PR and VUS-ROC (Paparrizos et al. 2022).

    python bench/series.py FOLDER [--set tsb|nab|msl] [--narrows target/release/narrows] [--seeds 3] [--fit "--preset deep"]
                           [--every 5]

tsb  FOLDER holds TSB-AD's univariate files, `*_tr_N_*.csv` of Data and Label: the first N points train, the whole series
     is scored, nothing is tuned. Means over a handful of files are not the benchmark's published means over all 350. Look
     at files before comparing: in one copy 140 was byte for byte 145, and 144 was not the published series.
nab  FOLDER is the Numenta Anomaly Benchmark's. Labelled files only. The first 15 % train, and up to 500 points where that
     is more, but at most 30 % and never past the first label. Times are read; six files repeat a time, which is refused,
     so that the first row of a time is kept here. Three files have no even step and are refused as well.
msl  FOLDER holds one .npz a channel: `train` and `test` of shape [points, columns], `label` of test. All columns are read,
     train trains, test is scored.

A series that `narrows` refuses is named, and left out for both methods. The buffer of both metrics is the period, as
TSB-AD finds it. Sub-sequence PCA is TSB-AD's: fitted on the very series that it scores, on the first column, while
`narrows` has seen the training part only.

needs numpy
"""

import argparse
import csv
import datetime
import json
import pathlib
import shlex
import subprocess
import tempfile
import time

import numpy

THRESHOLDS = 250


def read_tsb(folder):
    """Yields name, times or None, all points, how many train, those scored, labels of the scored."""
    for path in sorted(folder.glob("*_tr_*.csv")):
        table = numpy.genfromtxt(path, delimiter=",", skip_header=1)
        table = table[~numpy.isnan(table).any(1)]
        points, n = table[:, :1], int(path.stem.split("_tr_")[1].split("_")[0])
        yield path.stem[:24], None, points[:n], points, table[:, 1].astype(int)


def read_nab(folder):
    parse = lambda text: datetime.datetime.fromisoformat(text.split(".")[0])
    for name, windows in sorted(json.loads((folder / "labels/combined_windows.json").read_text()).items()):
        path = folder / "data" / name
        if not windows or not path.exists():
            continue
        with open(path, newline="") as file:
            rows = {row["timestamp"]: float(row["value"]) for row in reversed(list(csv.DictReader(file)))}
        times = sorted(rows, key=parse)
        points = numpy.array([[rows[t]] for t in times])
        inside = lambda t: any(parse(a) <= parse(t) <= parse(b) for a, b in windows)
        labels = numpy.array([inside(t) for t in times]).astype(int)
        n = max(int(0.15 * len(points)), min(500, int(0.3 * len(points)), int(labels.argmax())))
        yield path.stem[:24], times, points[:n], points, labels


def read_msl(folder):
    for path in sorted(folder.glob("*.npz")):
        data = numpy.load(path)
        if data["label"].any():
            yield path.stem, None, data["train"].astype(float), data["test"].astype(float), data["label"].astype(int)


def period(x, most=400, usual=125):
    """The lag of the autocorrelation's highest peak, as TSB-AD's find_length_rank."""
    x = x[:20_000] - x[:20_000].mean()
    spectrum = numpy.fft.rfft(x, 1 << (2 * len(x) - 1).bit_length())
    correlation = numpy.fft.irfft(spectrum * spectrum.conj())[3 : min(most + 1, len(x))]
    peaks = numpy.flatnonzero((correlation[1:-1] > correlation[:-2]) & (correlation[1:-1] > correlation[2:])) + 1
    if not len(peaks):
        return usual
    best = peaks[correlation[peaks].argmax()]
    return int(best) + 3 if 3 <= best <= 300 else usual


def vus(scores, labels, buffer):
    """(VUS-PR, VUS-ROC) over buffers of 0 to `buffer` points around every anomaly, as TSB-AD's RangeAUC_volume_opt."""
    labels = (labels > 0).astype(float)
    n, positives = len(scores), labels.sum()
    edges = numpy.diff(numpy.concatenate([[0], labels, [0]]))
    spans = list(zip(numpy.flatnonzero(edges == 1), numpy.flatnonzero(edges == -1) - 1))
    falling = -numpy.sort(-scores)
    thresholds = falling[numpy.linspace(0, n - 1, THRESHOLDS).astype(int)]
    order = numpy.argsort(-scores, kind="stable")
    flagged = numpy.searchsorted(-falling, -thresholds, side="right")
    hits = numpy.cumsum(labels[order])[flagged - 1]
    roc, pr = [], []
    for width in range(buffer + 1):
        half, soft, wide = width // 2, labels.copy(), []
        for first, last in spans:
            after = numpy.arange(last + 1, min(last + half + 1, n))
            before = numpy.arange(max(first - half, 0), first)
            soft[after] += numpy.sqrt(1 - (after - last) / max(width, 1))
            soft[before] += numpy.sqrt(1 - (first - before) / max(width, 1))
            if wide and wide[-1][1] >= first - half:
                wide[-1][1] = min(last + half, n - 1)
            else:
                wide.append([max(first - half, 0), min(last + half, n - 1)])
        soft = numpy.minimum(soft, 1)
        found = numpy.mean([scores[a : b + 1].max() >= thresholds for a, b in wide], 0)
        true = numpy.cumsum(soft[order])[flagged - 1]
        wanted = positives + (true - hits) / 2
        recall = numpy.minimum(true / wanted, 1) * found
        false = (flagged - true) / (n - wanted)
        x, y = numpy.concatenate([[0], false, [1]]), numpy.concatenate([[0], recall, [1]])
        roc.append(numpy.dot(numpy.diff(x), (y[1:] + y[:-1]) / 2))
        pr.append(numpy.dot(numpy.diff(y[:-1]), true / flagged))
    return numpy.mean(pr), numpy.mean(roc)


def sub_pca(x, window):
    """TSB-AD's Sub_PCA: windows standardised, distances to all components by their share of variance, at the centre."""
    windows = numpy.lib.stride_tricks.sliding_window_view(x, window)
    mean, std = windows.mean(0), windows.std(0)
    std[std < 10 * numpy.finfo(float).eps * numpy.maximum(1, abs(mean))] = 1
    z = (windows - mean) / std
    z = z[:, (z != 0).any(0)]
    _, s, axes = numpy.linalg.svd(z - z.mean(0), full_matrices=False)
    share = numpy.maximum(s**2 / (s**2).sum(), 1e-300)
    squares = (z**2).sum(1)[:, None] + 1 - 2 * z @ axes.T
    scores = (numpy.sqrt(numpy.maximum(squares, 0)) / share).sum(1)
    front = window // 2
    return numpy.pad(scores, (front, len(x) - len(scores) - front), mode="edge")


def narrows(binary, fit_flags, times, train, points, seed):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        columns = [f"x{i}" for i in range(points.shape[1])]
        for part, rows in (("train", train), ("all", points)):
            with open(folder / f"{part}.csv", "w", newline="") as file:
                out = csv.writer(file)
                out.writerow(["timestamp", *columns] if times else columns)
                # Where there are times, the training points are the first of all.
                out.writerows([times[i], *row] if times else row for i, row in enumerate(rows.tolist()))
        run = lambda *words: subprocess.run([binary, *map(str, words), "--quiet"], check=True)
        flags = ["--kind", "series", *(["--time", "timestamp"] if times else []), "--seed", seed, *fit_flags]
        run("fit", folder / "train.csv", "-o", folder / "m.narrows", *flags)
        run("score", folder / "m.narrows", folder / "all.csv", "--force", "-o", folder / "scores.csv")
        with open(folder / "scores.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        if len(rows) != len(points):
            raise SystemExit(f"expected {len(points)} scores, got {len(rows)}")
        return numpy.array([float(row["score"] or "nan") for row in rows])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--set", choices=["tsb", "nab", "msl"], default="tsb")
    parser.add_argument("--narrows", default="target/release/narrows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--fit", default="", help="flags for `narrows fit`")
    parser.add_argument("--every", type=int, default=1, help="take every N-th series only")
    args = parser.parse_args()
    series = list({"tsb": read_tsb, "nab": read_nab, "msl": read_msl}[args.set](args.folder))[:: args.every]
    if not series:
        raise SystemExit(f"expected series of {args.set} in {args.folder}, got none")
    means = {"narrows": [], "sub_pca": []}
    for name, times, train, points, labels in series:
        buffer = period(points[:, 0])
        for method in means:
            found = []
            for seed in range(args.seeds if method == "narrows" else 1):
                start = time.time()
                if method == "narrows":
                    try:
                        scores = narrows(args.narrows, shlex.split(args.fit), times, train, points, seed)
                    except subprocess.CalledProcessError:
                        found = []
                        break
                else:
                    scores = sub_pca(points[:, 0], buffer)
                seconds = time.time() - start
                unscored = int(numpy.isnan(scores).sum())
                scores = numpy.where(numpy.isnan(scores), numpy.nanmin(scores), scores)
                found.append((*vus(scores, labels, buffer), seconds))
            if not found:
                print(f"{name:24} refused", flush=True)
                break
            means[method].append(found)
            (pr, roc, seconds), spread = numpy.mean(found, 0), numpy.std(found, 0)[0]
            note = f"  {unscored} points without a score" if unscored else ""
            print(
                f"{name:24} {method:8} train {len(train):5} of {len(points):6}  vus_pr {pr:.3f} +- {spread:.3f}  "
                f"vus_roc {roc:.3f}  {seconds:6.2f} s{note}",
                flush=True,
            )
    print()
    for method, found in means.items():
        each = numpy.mean(found, 0)
        (pr, roc, seconds), spread = each.mean(0), each.std(0)[0]
        print(
            f"MEAN of {len(found)} series, {len(each)} seeds: {method:8} vus_pr {pr:.3f} +- {spread:.3f}  "
            f"vus_roc {roc:.3f}  {seconds:6.2f} s"
        )


if __name__ == "__main__":
    main()
