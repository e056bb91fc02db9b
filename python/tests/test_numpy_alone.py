"""With NumPy alone everything works that does not need another package, and what does need one says which."""

import subprocess
import sys
import textwrap

HIDDEN = [
    "IPython",
    "PIL",
    "duckdb",
    "joblib",
    "matplotlib",
    "pandas",
    "polars",
    "pyarrow",
    "pyod",
    "pythresh",
    "scipy",
]
HIDDEN += ["shap", "sklearn", "tqdm"]

PRELUDE = f"""
import sys
for name in {HIDDEN!r}:
    sys.modules[name] = None
import warnings
import numpy as np
import narrows
warnings.simplefilter("ignore", narrows.NarrowsWarning)
X = np.random.default_rng(0).normal(size=(200, 3))
"""


def run(code: str) -> list[str]:
    """What the code prints, without the other packages."""
    program = PRELUDE + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_table_is_fitted_scored_pickled_and_explained() -> None:
    told = run(
        """
        import pickle
        model = narrows.AutoEncoder("deep", max_steps=20).fit(X)
        same = pickle.loads(pickle.dumps(model))
        print((same.score_samples(X) == model.score_samples(X)).all())
        print(model.predict(X).shape, model.fit_predict(X).shape, model.transform(X).shape, model.fit_transform(X).shape)
        print(model.scores(X).dtype.names)
        print(len(model.explain(X[:2], top=2)))
        print(model.get_params()["max_steps"], model.set_params(max_steps=5).max_steps)
        print(model)
        print(len(model._repr_html_()) > 100)
        """
    )
    assert told == [
        "True",
        "(200,) (200,) (200, 2) (200, 2)",
        "('score', 'p_value', 'is_anomaly')",
        "2",
        "20 5",
        "AutoEncoder(preset='deep', max_steps=5)",
        "True",
    ]


def test_series_and_images_are_fitted() -> None:
    told = run(
        """
        wave = np.sin(np.arange(400) / 5)
        print(narrows.SeriesAutoEncoder("simple", window=16, max_steps=10).fit(wave).predict(wave).shape)
        images = narrows.datasets.parts(12, 2).train
        print(narrows.ImageAutoEncoder(max_steps=2).fit(images).predict(images).shape)
        """
    )
    assert told == ["(400,)", "(12,)"]


def test_an_estimator_that_is_not_fitted_says_so() -> None:
    told = run(
        """
        try:
            narrows.AutoEncoder().predict(X)
        except (ValueError, AttributeError) as error:
            print(type(error).__name__, isinstance(error, ValueError), isinstance(error, AttributeError), "fit" in str(error))
        """
    )
    assert told == ["NotFittedError True True True"]


def test_what_needs_a_package_names_it_and_how_to_install_it() -> None:
    told = run(
        """
        model = narrows.AutoEncoder("deep", max_steps=5).fit(X)
        for name, call in [
            ("matplotlib", lambda: narrows.plot.scores(model, X)),
            ("pyod", lambda: __import__("narrows.pyod")),
            ("shap", lambda: model.explain(X[:2]).to_shap()),
            ("pandas", lambda: narrows.datasets.payments(50, output="pandas")),
            ("polars", lambda: narrows.datasets.payments(50, output="polars")),
        ]:
            try:
                call()
            except ImportError as error:
                print(name, name in str(error), "pip install" in str(error))
            else:
                print(name, "no error")
        """
    )
    assert told == [f"{name} True True" for name in ("matplotlib", "pyod", "shap", "pandas", "polars")]
