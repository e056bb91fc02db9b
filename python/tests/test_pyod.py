"""The detector of PyOD: what PyOD asks of a detector, its argument names, and thresholders."""

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pyod")
from pyod.utils.data import generate_data
from sklearn.base import clone
from sklearn.metrics import roc_auc_score

import narrows
from narrows.pyod import AutoEncoder

SHARE = 0.1


@pytest.fixture(scope="module")
def data() -> Any:
    """Rows and labels, for the fit and for tests."""
    return generate_data(n_train=500, n_test=200, n_features=12, contamination=SHARE, random_state=42)


@pytest.fixture(scope="module")
def detector(data: Any) -> AutoEncoder:
    return AutoEncoder(contamination=SHARE, preset="deep", epoch_num=20).fit(data[0])


def in_unit_interval(values: Any) -> bool:
    return bool(np.min(values) >= 0 and np.max(values) <= 1)


def test_it_has_what_a_fitted_detector_has(detector: AutoEncoder) -> None:
    for name in ("decision_scores_", "labels_", "threshold_", "_mu", "_sigma", "model", "history_"):
        assert getattr(detector, name) is not None, name
    losses = detector.history_["loss"]
    assert len(losses) == len(detector.history_["epoch"]) > 5
    assert losses[-1] < losses[0]
    assert detector.history_["epoch"][-1] <= 20


def test_scores_of_the_fit_are_the_scores_of_its_rows(detector: AutoEncoder, data: Any) -> None:
    assert detector.decision_scores_.shape == (500,)
    assert np.array_equal(detector.decision_scores_, detector.decision_function(data[0]))
    assert 0.5 < np.median(detector.decision_scores_) < 2, "1 is an ordinary row"


def test_scores_find_the_outliers(detector: AutoEncoder, data: Any) -> None:
    _, test, _, labels = data
    scores = detector.decision_function(test)
    assert scores.shape == (200,)
    assert roc_auc_score(labels, scores) > 0.95


def test_labels_are_1_above_the_threshold(detector: AutoEncoder, data: Any) -> None:
    _, test, _, labels = data
    predicted = detector.predict(test)
    assert predicted.shape == labels.shape
    assert np.array_equal(predicted, (detector.decision_function(test) > detector.threshold_).astype(int))
    assert detector.labels_.sum() == 500 * SHARE


@pytest.mark.parametrize("method", ["linear", "unify"])
def test_probabilities(detector: AutoEncoder, data: Any, method: str) -> None:
    chances, confidence = detector.predict_proba(data[1], method=method, return_confidence=True)
    assert chances.shape == (200, 2)
    assert in_unit_interval(chances)
    assert in_unit_interval(confidence)
    assert np.allclose(chances.sum(axis=1), 1)
    assert np.array_equal(chances, detector.predict_proba(data[1], method=method))
    assert chances[data[3] == 1, 1].mean() > chances[data[3] == 0, 1].mean()


def test_an_unknown_method_of_probabilities_is_refused(detector: AutoEncoder, data: Any) -> None:
    with pytest.raises(ValueError, match="something"):
        detector.predict_proba(data[1], method="something")


def test_confidence_of_labels(detector: AutoEncoder, data: Any) -> None:
    labels, confidence = detector.predict(data[1], return_confidence=True)
    assert labels.shape == confidence.shape == (200,)
    assert in_unit_interval(confidence)
    assert np.array_equal(confidence, detector.predict_confidence(data[1]))


@pytest.mark.filterwarnings("ignore:The cost of rejection")
def test_rejection(detector: AutoEncoder, data: Any) -> None:
    assert set(detector.predict_with_rejection(data[1])) <= {0, 1, -2}
    _, (expected, most, cost) = detector.predict_with_rejection(data[1], return_stats=True)
    assert in_unit_interval([expected, most])
    assert cost >= 0


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_fitting_and_predicting_at_once(detector: AutoEncoder, data: Any) -> None:
    again = clone(detector)
    assert np.array_equal(again.fit_predict(data[0]), detector.labels_)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_fitting_and_measuring_at_once(data: Any) -> None:
    detector = AutoEncoder(preset="simple", epoch_num=3)
    assert detector.fit_predict_score(data[1], data[3]) > 0.9
    assert 0 <= detector.fit_predict_score(data[1], data[3], scoring="prc_n_score") <= 1
    with pytest.raises(NotImplementedError):
        detector.fit_predict_score(data[1], data[3], scoring="something")


def test_ranks_are_places_among_the_scores_of_the_fit(detector: AutoEncoder, data: Any) -> None:
    ranks = detector._predict_rank(data[1])
    scores = detector.decision_function(data[1])
    assert ranks.max() <= 500
    assert ranks[scores.argmax()] == ranks.max()
    assert in_unit_interval(detector._predict_rank(data[1], normalized=True))


def test_a_clone_has_the_arguments_and_is_not_fitted(detector: AutoEncoder, data: Any) -> None:
    other = clone(detector)
    assert other.get_params() == detector.get_params()
    with pytest.raises(ValueError, match="not fitted"):
        other.predict(data[1])


def test_a_pickle_scores_alike(detector: AutoEncoder, data: Any) -> None:
    other = pickle.loads(pickle.dumps(detector))
    assert np.array_equal(other.decision_function(data[1]), detector.decision_function(data[1]))
    assert np.array_equal(other.predict(data[1]), detector.predict(data[1]))


def test_files_of_pyod_keep_it(detector: AutoEncoder, data: Any, tmp_path: Any) -> None:
    persistence = pytest.importorskip("pyod.utils.persistence")
    persistence.save(detector, tmp_path / "detector.joblib")
    other = persistence.load(tmp_path / "detector.joblib", trusted=True)
    assert np.array_equal(other.predict(data[1]), detector.predict(data[1]))


def test_the_saved_model_says_the_same(detector: AutoEncoder, data: Any, tmp_path: Any) -> None:
    detector.estimator_.save(tmp_path / "m.narrows")
    model = narrows.load(tmp_path / "m.narrows")
    assert model.threshold_ == detector.threshold_
    assert np.array_equal(model.predict(data[1]) == -1, detector.predict(data[1]) == 1)


def test_scores_are_those_of_the_estimator(detector: AutoEncoder, data: Any) -> None:
    own = narrows.AutoEncoder("deep", max_epochs=20, threshold="quantile=0.9").fit(data[0])
    assert np.array_equal(-own.score_samples(data[1]), detector.decision_function(data[1]))


def test_an_explanation(detector: AutoEncoder, data: Any) -> None:
    assert [len(reasons) for reasons in detector.explain(data[1][:3], top=2)] == [2, 2, 2]


@pytest.mark.filterwarnings("ignore::narrows.NarrowsWarning")
def test_frames_with_text_are_taken_as_they_are() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": np.arange(60.0) % 7, "b": ["x", "y", "z"] * 20})
    detector = AutoEncoder(preset="simple", epoch_num=2).fit(frame)
    assert detector.predict(frame).shape == (60,)


def test_a_thresholder_decides_on_the_scores(data: Any) -> None:
    pytest.importorskip("pythresh")
    from pythresh.thresholds.iqr import IQR

    detector = AutoEncoder(contamination=IQR(), preset="simple", epoch_num=3).fit(data[0])
    assert np.array_equal(detector.labels_, detector.contamination.labels_)
    assert 0 < detector.labels_.mean() < 0.5
    assert set(detector.predict(data[1])) <= {0, 1}


@pytest.mark.parametrize(
    ("arguments", "path", "value"),
    [
        ({"preprocessing": False}, "prep.scaling", "none"),
        ({"lr": 0.01}, "train.learning_rate", 0.01),
        ({"epoch_num": 4}, "train.epochs", 4),
        ({"batch_size": 17}, "train.batch_size", 17),
        ({"optimizer_name": "adam"}, "train.optimizer.kind", "adam"),
        ({"optimizer_name": "adamw", "optimizer_params": {"weight_decay": 0.25}}, "train.optimizer.weight_decay", 0.25),
        ({"random_state": 5}, "seed", 5),
        ({"hidden_neuron_list": [9, 5]}, "backbone.nodes", [9]),
        ({"hidden_neuron_list": [9, 5]}, "backbone.code_size", 5),
        ({"hidden_neuron_list": [5]}, "backbone.layers", 0),
        ({"hidden_activation_name": "tanh"}, "backbone.activation", "tanh"),
        ({"batch_norm": True}, "backbone.norm", "batch"),
        ({"dropout_rate": 0.3}, "backbone.dropout", 0.3),
        ({"settings": {"detect.score": "neighbour"}}, "detect.score", "neighbour"),
    ],
)
def test_arguments_reach_the_recipe(data: Any, arguments: dict[str, Any], path: str, value: Any) -> None:
    given = {"preset": "deep", "epoch_num": 1, **arguments}
    fields: Any = AutoEncoder(**given).fit(data[1]).estimator_.recipe_.to_dict()
    for name in path.split("."):
        fields = fields[name]
    assert fields == pytest.approx(value) if isinstance(value, float) else fields == value


def test_hidden_units_are_the_layers_of_the_encoder(data: Any) -> None:
    detector = AutoEncoder(preset="deep", epoch_num=1, hidden_neuron_list=[9, 5]).fit(data[1])
    widths = [layer["width"] for layer in detector.estimator_.report_["network"]["layers"]]
    assert widths == [12, 9, 5, 9, 12]


def test_epochs_are_not_cut_by_the_steps_of_the_preset(data: Any) -> None:
    fields = AutoEncoder(epoch_num=2, hidden_neuron_list=[4]).fit(data[1]).estimator_.recipe_.to_dict()
    assert fields["train"]["steps"] > 1_000_000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"device": "cuda"}, "device: models are fitted on the processor: expected None or 'cpu', got 'cuda'"),
        ({"use_compile": True}, "use_compile: there is nothing to compile: expected False, got True"),
        ({"compile_mode": "reduce-overhead"}, "compile_mode: there is nothing to compile"),
        ({"optimizer_name": "sgd"}, "optimizer_name: expected one of adam, adamw, got 'sgd'"),
        ({"optimizer_name": "adam", "optimizer_params": {"weight_decay": 1e-5}}, "weight_decay is of the optimiser"),
        ({"optimizer_params": {"betas": (0.9, 0.99)}}, "expected no other than weight_decay, got betas"),
        ({"hidden_activation_name": "softplus"}, "hidden_activation_name: expected one of elu, gelu"),
        ({"hidden_neuron_list": []}, "hidden_neuron_list: expected a list of numbers of units"),
        ({"hidden_neuron_list": 64}, "hidden_neuron_list: expected a list of numbers of units"),
        ({"dropout_rate": 1.5}, r"dropout_rate: expected a number in \[0, 1\), got 1.5"),
        ({"lr": 0}, "lr: expected a number above 0, got 0"),
        ({"lr": "fast"}, "lr: expected a number above 0, got 'fast'"),
        ({"batch_size": 2.5}, "batch_size: expected an integer of at least 1, got 2.5"),
        ({"preprocessing": "yes"}, "preprocessing: expected True or False, got 'yes'"),
        ({"batch_norm": 1}, "batch_norm: expected True or False, got 1"),
        ({"epoch_num": 0}, "epoch_num: expected an integer of at least 1, got 0"),
        ({"contamination": "auto"}, "contamination: expected a number in .0, 0.5. or an object of PyThresh"),
    ],
)
def test_what_cannot_be_honoured_is_refused(data: Any, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AutoEncoder(**arguments).fit(data[1])


def test_contamination_is_checked_when_it_is_given() -> None:
    with pytest.raises(ValueError, match=r"contamination must be in \(0, 0.5\]"):
        AutoEncoder(contamination=0.6)


def test_without_pyod_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['pyod'] = sys.modules['pyod.models'] = sys.modules['pyod.models.base'] = None\n"
    code += "import narrows.pyod"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ImportError: narrows.pyod needs pyod: `pip install pyod`" in found.stderr
