"""The numbers that scikit-learn's GaussianMixture gives for three heaps of rows; golden_detect.py writes them down."""

import numpy as np
from sklearn.mixture import GaussianMixture


def flat(x, digits=10):
    return [float(f"{v:.{digits}g}") for v in np.asarray(x, dtype=float).ravel()]


def mixture(rng, covariance):
    heaps = [
        rng.normal(size=(60, 2)) @ [[0.5, 0.3], [0.0, 0.2]] + [3, 0],
        rng.normal(size=(40, 2)) @ [[0.3, -0.2], [0.0, 0.4]] + [-2, 2],
        rng.normal(size=(50, 2)) * 0.6 + [-1, -3],
    ]
    x = np.round(np.vstack(heaps), 4).astype(np.float32)
    new = np.round(rng.normal(size=(6, 2)) * 2, 4).astype(np.float32)
    model = GaussianMixture(3, covariance_type=covariance, reg_covar=1e-6, tol=1e-9, max_iter=5000, n_init=5, random_state=0)
    model.fit(x.astype(float))
    return {
        "covariance": "full" if covariance == "full" else "diagonal",
        "components": 3,
        "n": len(x),
        "width": 2,
        "x": flat(x),
        "new": flat(new),
        "log_likelihood": float(model.score(x.astype(float))),
        "of_new": flat(model.score_samples(new.astype(float))),
        "weights": flat(model.weights_),
    }


def sets():
    rng = np.random.default_rng(7)
    return {"mixture": [mixture(rng, "diag"), mixture(rng, "full")]}
