"""Models as MLflow models: the flavour ``narrows``, and ``python_function``, which scores frames.

Examples
--------
>>> import narrows, narrows.mlflow, os, tempfile
>>> X = narrows.datasets.payments(300).drop(columns="is_fraud")
>>> model = narrows.AutoEncoder("deep", max_steps=5).fit(X)
>>> path = os.path.join(tempfile.mkdtemp(), "model")
>>> narrows.mlflow.save_model(model, path)
>>> bool((narrows.mlflow.load_model(path).predict(X) == model.predict(X)).all())
True
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import _native
from ._errors import missing_package
from ._load import load

try:
    from mlflow import pyfunc
    from mlflow.models import Model, infer_signature
    from mlflow.tracking.artifact_utils import _download_artifact_from_uri
except ImportError as error:
    raise missing_package("mlflow", "narrows.mlflow", "mlflow-skinny") from error

if TYPE_CHECKING:
    from ._load import Estimator

__all__ = ["FLAVOR_NAME", "get_default_pip_requirements", "load_model", "log_model", "save_model"]

FLAVOR_NAME = "narrows"
"""The name of the flavour in the file ``MLmodel``."""

_FILE = "model.narrows"
_KINDS = ("table", "series", "encoder")
"""Models of frames: those of images read no frame."""


def get_default_pip_requirements() -> list[str]:
    """What an environment needs that loads a model: this version of narrows, and pandas."""
    return [f"narrows=={_native.__version__}", "pandas"]


def save_model(
    model: Estimator,
    path: str | os.PathLike[str],
    *,
    mlflow_model: Any = None,
    signature: Any = None,
    input_example: Any = None,
    pip_requirements: Sequence[str] | None = None,
    extra_pip_requirements: Sequence[str] | None = None,
    conda_env: Any = None,
    code_paths: list[str] | None = None,
    metadata: dict[str, Any] | None = None,
) -> None:
    """Saves a model as a folder of MLflow.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or Encoder
        A fitted model of tables or series.
    path : str or path
        The folder, which must not be there yet, or be empty.
    mlflow_model : mlflow.models.Model, optional
        What the flavour is added to.
    signature : ModelSignature, optional
        Types of columns in and out; by default those of `input_example` and its scores, or none.
    input_example : frame, optional
        A few rows, which are saved with the model.
    pip_requirements, extra_pip_requirements, conda_env, code_paths, metadata : optional
        As for every flavour of MLflow.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If it is one of images, which reads no frames.
    """
    native = model._fitted()
    if native.kind not in _KINDS or not native.names():
        raise ValueError(f"expected a model of tables or series, got one of {_read(native)}: MLflow passes frames")
    if signature is None and input_example is not None:
        signature = infer_signature(input_example, _FrameModel(model).predict(input_example))
    mlflow_model = Model() if mlflow_model is None else mlflow_model
    mlflow_model.add_flavor(
        FLAVOR_NAME, data=f"data/{_FILE}", model_type=native.kind, narrows_version=_native.__version__
    )
    if pip_requirements is None and conda_env is None:
        pip_requirements = get_default_pip_requirements()
        pip_requirements += [*(extra_pip_requirements or [])]
        extra_pip_requirements = None
    with tempfile.TemporaryDirectory() as folder:
        file = os.path.join(folder, _FILE)
        model.save(file)
        pyfunc.save_model(
            os.fspath(path),
            loader_module=__name__,
            data_path=file,
            mlflow_model=mlflow_model,
            signature=signature,
            input_example=input_example,
            pip_requirements=pip_requirements,
            extra_pip_requirements=extra_pip_requirements,
            conda_env=conda_env,
            code_paths=code_paths,
            metadata=metadata,
        )


def log_model(model: Estimator, name: str = "model", *, registered_model_name: str | None = None, **kwargs: Any) -> Any:
    """Logs a model to the current run of MLflow, or to one that it starts.

    Parameters
    ----------
    model : AutoEncoder, SeriesAutoEncoder or Encoder
        A fitted model of tables or series.
    name : str
        The name of the logged model.
    registered_model_name : str, optional
        The name in the registry; without, it is not registered.
    **kwargs
        As for `save_model`, and for ``log_model`` of every flavour.

    Returns
    -------
    ModelInfo
        What was logged; its `model_uri` loads it.
    """
    import narrows.mlflow as flavor

    return Model.log(
        artifact_path=None,
        name=name,
        flavor=flavor,
        model=model,
        registered_model_name=registered_model_name,
        **kwargs,
    )


def load_model(model_uri: str | os.PathLike[str], dst_path: str | None = None) -> Estimator:
    """Loads the estimator of a model that was saved or logged with this flavour.

    Parameters
    ----------
    model_uri : str or path
        A folder, or an address of MLflow such as ``"runs:/ID/model"`` or ``"models:/NAME/1"``.
    dst_path : str, optional
        The folder for what is downloaded.

    Returns
    -------
    AutoEncoder, SeriesAutoEncoder or Encoder
        The fitted estimator.
    """
    folder = _download_artifact_from_uri(artifact_uri=os.fspath(model_uri), output_path=dst_path)
    flavor = Model.load(folder).flavors.get(FLAVOR_NAME)
    if flavor is None:
        raise ValueError(f"{os.fspath(model_uri)}: expected a model with the flavour {FLAVOR_NAME}, got one without")
    return load(os.path.join(folder, flavor["data"]))


class _FrameModel:
    """What ``mlflow.pyfunc.load_model`` calls: a frame in, a frame out."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        """Scores of rows or points: `score`, `p_value`, `is_anomaly`; of an encoder, codes."""
        if hasattr(self.model, "scores"):
            return self.model.scores(model_input)
        return self.model.transform(model_input)

    def get_raw_model(self) -> Any:
        """The estimator."""
        return self.model


def _load_pyfunc(path: str) -> _FrameModel:
    """The model in a file, for ``mlflow.pyfunc.load_model``."""
    return _FrameModel(load(path))


def _read(model: _native.Model) -> str:
    return "images" if model.kind != "restorer" else "images to restore"
