"""Writes golden_metrics.json: what scikit-learn gives for small labelled scores, held by ranking.test.js.
Run with scikit-learn 1.9; the same seeds give the same file."""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import (
    average_precision_score,
    confusion_matrix,
    f1_score,
    precision_recall_curve,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

rng = np.random.default_rng(20261130)


def case(name, scores, labels):
    scores, labels = np.asarray(scores, dtype=float), np.asarray(labels)
    found = {"name": name, "scores": scores.tolist(), "labels": labels.tolist(), "at": []}
    found["auc_roc"] = roc_auc_score(labels, scores)
    found["average_precision"] = average_precision_score(labels, scores)
    false_alarms, recall, _ = roc_curve(labels, scores, drop_intermediate=False)
    found["roc"] = {"x": false_alarms.tolist(), "y": recall.tolist()}
    precision, recall, _ = precision_recall_curve(labels, scores)
    # scikit-learn adds the point (0, 1), and goes from the lowest score upwards.
    found["precision_recall"] = {"x": recall[:-1][::-1].tolist(), "y": precision[:-1][::-1].tolist()}
    for threshold in [*np.quantile(scores, [0, 0.1, 0.5, 0.9, 0.99, 1]), scores[0], scores.min() - 1]:
        flagged = scores > threshold
        tn, fp, fn, tp = confusion_matrix(labels, flagged, labels=[0, 1]).ravel().tolist()
        any_flagged = bool(flagged.any())
        found["at"].append(
            {
                "threshold": float(threshold),
                "confusion": [tp, fp, fn, tn],
                "precision": precision_score(labels, flagged) if any_flagged else None,
                "recall": recall_score(labels, flagged),
                "f1": f1_score(labels, flagged),
            }
        )
    return found


labels = (rng.random(150) < 0.1).astype(int)
distinct = np.exp(rng.normal(0, 0.6, 150) + 1.2 * labels)
cases = [
    case("distinct scores", distinct, labels),
    case("tied scores", np.round(distinct, 1), labels),
    case("few rows", [1, 2, 2, 3], [0, 0, 1, 1]),
    case("all scores equal", [2, 2, 2, 2], [0, 1, 0, 1]),
    case("worse than chance", [5, 4, 1, 0.5], [0, 0, 1, 1]),
]
Path(__file__).with_name("golden_metrics.json").write_text(json.dumps(cases, indent=1) + "\n")
