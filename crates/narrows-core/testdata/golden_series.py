"""The numbers that public packages give for the metrics of time series and for a dominant period, held by tests of
`detect/` and `prep/`; golden_detect.py writes them. Run with TSB-AD 1.5, orion-ml 0.7.1 (both installed without their
dependencies) and statsmodels 0.15."""

import importlib.util
import sys
import types
import warnings

import numpy as np
from TSB_AD.evaluation.basic_metrics import basic_metricor
from TSB_AD.utils.slidingWindows import find_length_rank

# Orion's package imports a deep-learning framework at its head, which its evaluation does not need.
orion = types.ModuleType("orion")
orion.__path__ = importlib.util.find_spec("orion").submodule_search_locations
sys.modules["orion"] = orion
from orion.evaluation.contextual import contextual_confusion_matrix, contextual_f1_score, contextual_recall  # noqa: E402


def labels_of(n, events):
    """Labels of `n` points, true from first to last of every event."""
    labels = np.zeros(n, dtype=int)
    for first, last in events:
        labels[first : last + 1] = 1
    return labels


def events_of(labels):
    """The first and the last point of every run of ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels, [0]])))
    return [(int(first), int(last) - 1) for first, last in zip(edges[::2], edges[1::2])]


def bools(labels):
    return [bool(label) for label in labels]


def areas(name, scores, labels, buffer):
    """A window's slice of the surface has the range-AUC of that buffer: the areas under its curves."""
    scores = np.round(np.asarray(scores, dtype=float), 4)
    tpr, fpr, precision, _, vus_roc, vus_pr = basic_metricor().RangeAUC_volume_opt(labels, scores, buffer, 250)
    tpr, fpr, precision = tpr[-1], fpr[-1], precision[-1]
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": bools(labels),
        "buffer": buffer,
        "vus_roc": float(vus_roc),
        "vus_pr": float(vus_pr),
        "range_auc_roc": float(np.dot(np.diff(fpr), (tpr[1:] + tpr[:-1]) / 2)),
        "range_auc_pr": float(np.dot(np.diff(tpr[:-1]), precision[1:])),
    }


def surfaces(rng):
    def noisy(labels, late=0):
        return rng.normal(size=len(labels)) + 2.0 * np.roll(labels, late)

    apart = labels_of(120, [(30, 39), (80, 84)])
    near = labels_of(120, [(20, 21), (25, 25), (28, 33), (60, 60), (62, 62), (64, 64), (90, 99)])
    edges = labels_of(60, [(0, 4), (57, 59)])
    long = labels_of(1500, [(100, 180), (500, 500), (520, 560), (1300, 1330)])
    alternating = np.arange(50) % 2
    yield areas("no buffer", noisy(apart), apart, 0)
    yield areas("a buffer without a point", noisy(apart), apart, 1)
    yield areas("apart, late", noisy(apart, 3), apart, 10)
    yield areas("odd buffer", noisy(apart, -2), apart, 13)
    yield areas("overlapping buffers", noisy(near), near, 20)
    yield areas("ties", np.round(noisy(near)), near, 9)
    yield areas("all equal", np.zeros(120), near, 9)
    yield areas("reversed", -noisy(apart), apart, 10)
    yield areas("perfect", apart, apart, 10)
    yield areas("events at the edges", noisy(edges), edges, 12)
    yield areas("buffer larger than the series", noisy(edges), edges, 150)
    yield areas("every other point", noisy(alternating), alternating, 7)
    yield areas("two points", [0.3, 0.7], np.array([0, 1]), 4)
    yield areas("one normal point", noisy(labels_of(9, [(0, 3), (5, 8)])), labels_of(9, [(0, 3), (5, 8)]), 5)
    yield areas("more points than thresholds", noisy(long, 2), long, 40)


def event_set(name, labels, flags):
    labels, flags = np.asarray(labels), np.asarray(flags)
    labelled, predicted = events_of(labels), events_of(flags)
    _, false_positives, false_negatives, true_positives = contextual_confusion_matrix(
        labelled, predicted, weighted=False
    )
    return {
        "name": name,
        "labels": bools(labels),
        "flags": bools(flags),
        "true_positives": true_positives,
        "false_positives": false_positives,
        "false_negatives": false_negatives,
        "recall": contextual_recall(labelled, predicted, weighted=False),
        "f1": contextual_f1_score(labelled, predicted, weighted=False),
        "point_adjusted_f1": float(basic_metricor().metric_PointF1PA(labels, flags, preds=flags.astype(bool))),
    }


def event_sets(rng):
    yield event_set("one for one", labels_of(30, [(5, 9), (20, 22)]), labels_of(30, [(9, 11), (14, 14), (22, 25)]))
    yield event_set("touching is not overlapping", labels_of(20, [(5, 9), (15, 16)]), labels_of(20, [(10, 12), (15, 15)]))
    yield event_set("two for one", labels_of(30, [(5, 15), (20, 22)]), labels_of(30, [(4, 6), (9, 9), (12, 18), (27, 28)]))
    yield event_set("one for two", labels_of(30, [(5, 7), (10, 12), (20, 20)]), labels_of(30, [(6, 11), (25, 29)]))
    yield event_set("at the edges", labels_of(20, [(0, 3), (17, 19)]), labels_of(20, [(0, 0), (19, 19), (8, 9)]))
    yield event_set("all flagged", labels_of(12, [(2, 3), (8, 9)]), np.ones(12, dtype=int))
    for density in (0.05, 0.3):
        starts = rng.choice(20, size=5, replace=False) * 10 + 2
        labels = labels_of(200, [(int(s), int(s + rng.integers(1, 7))) for s in starts])
        yield event_set(f"random, {density}", labels, (rng.random(200) < density).astype(int))


def period(name, values):
    values = np.round(np.asarray(values, dtype=float), 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {"name": name, "values": values.tolist(), "length": int(find_length_rank(values, rank=1))}


def periods(rng):
    t = np.arange(1000)
    noise = rng.normal(size=1000)
    yield period("sine", np.sin(2 * np.pi * t / 24) + 0.3 * noise)
    yield period("saw", (t % 50) + 2.0 * noise)
    yield period("two seasons", np.sin(2 * np.pi * t / 12) + 2 * np.sin(2 * np.pi * t / 84) + 0.2 * noise)
    yield period("on a trend", 0.01 * t + np.sin(2 * np.pi * t / 40))
    yield period("pulses", (t % 37 == 0).astype(float))
    yield period("short", np.tile([0.0, 1.0, 4.0, 2.0, 1.0, 0.0, 0.0], 5))
    yield period("short and odd", np.tile([0.0, 1.0, 4.0, 2.0, 1.0, 0.0, 0.0, 0.0, 3.0], 3)[:22])
    yield period("no period", np.cumsum(noise))
    yield period("noise", noise)
    yield period("of five", np.tile([0.0, 1.0, 4.0, 2.0, 1.0], 40))
    yield period("longer than lags", np.sin(2 * np.pi * t / 350))
    yield period("constant", np.full(50, 2.0))
    yield period("few points", [1.0, 5.0, 2.0])


def sets():
    rng = np.random.default_rng(20220711)
    return {
        "surfaces": list(surfaces(rng)),
        "event_sets": list(event_sets(rng)),
        "periods": list(periods(rng)),
    }
