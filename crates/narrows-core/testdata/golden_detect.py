"""Writes golden_detect.json: the numbers that scikit-learn and SciPy give for small data, held by tests of
`detect/` and `baseline/`. Run with scikit-learn 1.9 and SciPy 1.17; the same seeds give the same file."""

import json
from pathlib import Path

import numpy as np
from scipy.stats import genpareto
from sklearn.covariance import EmpiricalCovariance, LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score
from sklearn.neighbors import NearestNeighbors

import golden_mixture
import golden_series

rng = np.random.default_rng(20240607)


def flat(x, digits=10):
    return [float(f"{v:.{digits}g}") for v in np.asarray(x, dtype=float).ravel()]


def f32(x):
    """Rows as single precision holds them, so that both sides fit on the same numbers."""
    return np.asarray(x, dtype=np.float32)


def ranking(name, scores, labels):
    precision, recall, _ = precision_recall_curve(labels, scores)
    best = np.nanmax(2 * precision * recall / np.maximum(precision + recall, 1e-300))
    threshold = float(np.quantile(scores, 0.8))
    return {
        "name": name,
        "scores": flat(scores),
        "labels": [bool(label) for label in labels],
        "roc_auc": roc_auc_score(labels, scores),
        "average_precision": average_precision_score(labels, scores),
        "best_f1": float(best),
        "threshold": threshold,
        "f1_at_threshold": f1_score(labels, scores > threshold),
    }


labels = rng.random(120) < 0.2
smooth = np.round(rng.normal(size=120) + 1.2 * labels, 6)
rankings = [
    ranking("distinct", smooth, labels),
    ranking("ties", np.round(smooth), labels),
    ranking("all equal", np.zeros(120), labels),
    ranking("reversed", -smooth, labels),
]


def pca(name, n, width, k):
    mixing = rng.normal(size=(4, width))
    x = f32(rng.normal(size=(n, 4)) * [5, 3, 2, 1] @ mixing + 0.3 * rng.normal(size=(n, width)) + rng.normal(size=width))
    new = f32(rng.normal(size=(3, width)) * 4)
    model = PCA(n_components=k, svd_solver="full").fit(x.astype(float))
    codes = model.transform(new.astype(float))
    error = ((model.inverse_transform(codes) - new) ** 2).mean(axis=1)
    return {
        "name": name,
        "n": n,
        "width": width,
        "k": k,
        "x": flat(x),
        "new": flat(new),
        "explained_variance": flat(model.explained_variance_),
        "explained_share": float(model.explained_variance_ratio_.sum()),
        "components": flat(model.components_),
        "codes": flat(codes),
        "error": flat(error),
    }


pcas = [pca("tall", 40, 6, 3), pca("wide", 8, 20, 4)]

reference = f32(rng.normal(size=(60, 5)))
queries = f32(rng.normal(size=(7, 5)) * 1.5)
found = NearestNeighbors(n_neighbors=5, algorithm="brute").fit(reference.astype(float))
distances, indices = found.kneighbors(queries.astype(float))
neighbours = {
    "width": 5,
    "k": 5,
    "reference": flat(reference),
    "queries": flat(queries),
    "distances": flat(distances[:, -1]),
    "indices": indices.tolist(),
}

g = f32(rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) + 1)
g_new = f32(rng.normal(size=(5, 4)) * 2)
wolf = LedoitWolf().fit(g.astype(float))
plain = EmpiricalCovariance().fit(g.astype(float))
gaussian = {
    "n": 30,
    "width": 4,
    "x": flat(g),
    "new": flat(g_new),
    "shrinkage": float(wolf.shrinkage_),
    "ledoit_wolf": flat(wolf.mahalanobis(g_new.astype(float))),
    "plain": flat(plain.mahalanobis(g_new.astype(float))),
}

# Two blobs and points far from both; ours draws other cuts, so only the ranking and the level are compared.
normal = np.vstack([rng.normal(size=(150, 3)), rng.normal(size=(150, 3)) * 0.5 + [4, 4, 0]])
far = rng.uniform(-10, 10, size=(30, 3))
far = far[np.minimum(np.linalg.norm(far, axis=1), np.linalg.norm(far - [4, 4, 0], axis=1)) > 4]
x = f32(np.vstack([normal, far]))
is_far = np.arange(len(x)) >= len(normal)
forest = np.mean([-IsolationForest(random_state=s).fit(x).score_samples(x) for s in range(10)], axis=0)
isolation_forest = {
    "n": len(x),
    "width": 3,
    "x": flat(x),
    "labels": [bool(label) for label in is_far],
    "mean_score": flat(forest, 6),
    "auc": roc_auc_score(is_far, forest),
    "average_path_length": [[n, float(_average_path_length(np.array([n]))[0])] for n in [0, 1, 2, 3, 10, 256, 10000]],
}


def pareto(shape, scale, n):
    excesses = np.round(genpareto.rvs(shape, scale=scale, size=n, random_state=rng), 9)
    best = None
    for start in (-0.3, 0.01, 0.3, 0.8):
        fitted_shape, _, fitted_scale = genpareto.fit(excesses, start, floc=0, scale=excesses.mean())
        likelihood = genpareto.logpdf(excesses, fitted_shape, 0, fitted_scale).sum()
        if best is None or likelihood > best[2]:
            best = (fitted_shape, fitted_scale, likelihood)
    return {
        "true_shape": shape,
        "excesses": flat(excesses),
        "shape": best[0],
        "scale": best[1],
        "log_likelihood": best[2],
        "exceeded_with_0.001": float(genpareto.isf(0.001, best[0], 0, best[1])),
    }


paretos = [pareto(0.3, 2.0, 200), pareto(-0.3, 0.01, 200), pareto(0.0, 1000.0, 200), pareto(0.9, 1.0, 60), pareto(0.1, 1.0, 12)]

golden = {
    "rankings": rankings,
    "pcas": pcas,
    "neighbours": neighbours,
    "gaussian": gaussian,
    "isolation_forest": isolation_forest,
    "paretos": paretos,
    **golden_series.sets(),
    **golden_mixture.sets(),
}
path = Path(__file__).with_suffix(".json")
path.write_text(json.dumps(golden, indent=None, separators=(", ", ": ")).replace("}, {", "},\n{") + "\n")
