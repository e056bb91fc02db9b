"""Autoencoders of images."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from . import _native
from ._base import TransformerBase
from ._detecting import DetectingMixin
from ._frames import refuse_input
from ._image_arrays import GivenImages, given_images, unsized
from ._recipe import Recipe, build_recipe, count_of, words

__all__ = ["ImageAutoEncoder", "image_recipe"]

_DATA_FIELDS = ("view", "side", "channels")
_CHOICES = {"view": ("whole", "pieces"), "channels": ("grey", "rgb")}


class ImageAutoEncoder(TransformerBase, DetectingMixin):
    """Finds defects in images, by an autoencoder that has seen good ones only; also encodes, decodes and generates.

    Images are an array of shape (n, height, width) or (n, height, width, 1 or 3), a list of arrays or of PIL images of
    any sizes, or the path of a folder, a pattern, an image file or an array file, or several of these. Values are uint8,
    uint16, bool, or floats in [0, 1]. Files are turned upright by their EXIF data; PIL images are taken as they are.

    Parameters
    ----------
    preset : str, default="auto"
        The recipe to start from: ``"auto"`` and ``"conv"`` are convolutional, ``"variational"`` is made to generate,
        ``"compressing"`` to compress.
    view : {"whole", "pieces"}, default=None
        Whether the network sees all of an image at once or overlapping patches; by default all if images are small and of
        one size.
    side : int, default=None
        Side in pixels of a patch, or of the square to which whole images are resized.
    channels : {"grey", "rgb"}, default=None
        By default grey if all images are.
    normal : str or list of str, default=None
        Of images in folders, the folders of good ones; by default all images are fitted to.
    resize : bool, default=False
        Whether a model of whole images resizes new ones of another size, instead of refusing them.
    code_size : int, default=None
        Units of the code; by default the preset's.
    recipe : Recipe, str or path, default=None
        A recipe, TOML text or a file of it, over the preset.
    settings : dict, default=None
        Single fields of the recipe by path, such as ``{"data.turns": True}``.
    max_steps, max_epochs, batch_size : int, default=None
        Limits of the training, and its batch; by default the preset's.
    learning_rate : float, default=None
        By default the preset's.
    threshold : str, default=None
        The rule of the threshold, such as ``"false_alarm_rate=0.01"`` or ``"quantile=0.99"``.
    random_state : int, Generator or RandomState, default=None
        The seed; None is 0, so that a fit gives the same bits every time.
    n_jobs : int, default=None
        Threads; None and -1 are all cores. Results do not depend on it.
    callbacks : callable or list, default=None
        Called with the history after every check of the validation loss; True stops the training.
    verbose : int, default=0
        1 shows progress.

    Attributes
    ----------
    model_ : object
        The native model.
    threshold_, offset_ : float
        The score above which an image is an anomaly, and minus that.
    sees_patches_ : bool
        Whether the network sees patches.
    recipe_, report_, history_, notes_, n_iter_
        See `AutoEncoder`.

    Examples
    --------
    >>> import narrows
    >>> parts = narrows.datasets.parts(n_train=40, n_test=4)
    >>> model = narrows.ImageAutoEncoder(code_size=8, max_steps=20).fit(parts.train)
    >>> model.heatmaps(parts.test).shape
    (4, 64, 64)
    """

    _model_kind = "images"

    sees_patches_: bool

    def __init__(
        self,
        preset: str = "auto",
        *,
        view: str | None = None,
        side: int | None = None,
        channels: str | None = None,
        normal: str | Sequence[str] | None = None,
        resize: bool = False,
        code_size: int | None = None,
        recipe: Recipe | str | os.PathLike[str] | None = None,
        settings: dict[str, Any] | None = None,
        max_steps: int | None = None,
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        threshold: str | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        verbose: int = 0,
    ) -> None:
        self.preset = preset
        self.view = view
        self.side = side
        self.channels = channels
        self.normal = normal
        self.resize = resize
        self.code_size = code_size
        self.recipe = recipe
        self.settings = settings
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.threshold = threshold
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits to good images.

        Parameters
        ----------
        X : images
            See the class.
        y : ignored
            There for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If an argument is out of range, or these are no images, too few of them, or have values outside of [0, 1].
        TypeError
            If `X` is of another type, or an argument is.
        """
        recipe = image_recipe(self)
        came = given_images(X)
        normal = ",".join(words(self.normal, "normal")) or None
        self._fit_native(recipe, came.native, [], normal=normal)
        return self

    def scores(self, X: Any) -> Any:
        """Scores images.

        Parameters
        ----------
        X : images
            See the class.

        Returns
        -------
        pandas.DataFrame, or dict of arrays without pandas
            `image` (the name of the file, or the number), `score` (1 is ordinary, higher is stranger), `p_value` and
            `is_anomaly`.
        """
        came = self._came(X)
        scores, _ = self._fitted().score_images(came.native, False, self.resize)
        columns: dict[str, Any] = {
            "image": [came.name(i) for i in range(len(came))],
            "score": scores.score,
            "p_value": scores.p_value,
            "is_anomaly": scores.is_anomaly,
        }
        try:
            import pandas
        except ImportError:
            return columns
        return pandas.DataFrame(columns)

    def drift(self, X: Any, *, level: float = 0.01) -> dict[str, Any]:
        """Whether new images are still like those of the fit: their scores, and simple measures of them.

        Parameters
        ----------
        X : images
            See the class.
        level : float, default=0.01
            Greatest probability that unchanged images are reported, over all tests together.

        Returns
        -------
        dict
            `has_drifted`, `findings` (what has, in words), `score`, `threshold` (whether its promise `stands`), `columns`
            (brightness, contrast, colourfulness, sharpness, height and width) and more.
        """
        came = self._came(X)
        found: dict[str, Any] = json.loads(self._fitted().drift_images(came.native, level, self.resize))
        return found

    def heatmaps(self, X: Any) -> Any:
        """Where images deviate, pixel by pixel: 3 and more stands out.

        Parameters
        ----------
        X : images
            See the class.

        Returns
        -------
        array of shape (n, height, width), float32
            Of one image (height, width); of images of differing sizes a list of such arrays.
        """
        came = self._came(X)
        return came.give_maps(self._fitted().score_images(came.native, True, self.resize)[1])

    def overlays(self, X: Any) -> Any:
        """Images with their heat maps laid over them, in colour.

        Parameters
        ----------
        X : images
            See the class.

        Returns
        -------
        images as they came
            Of three channels.
        """
        came = self._came(X)
        return came.give(self._fitted().heat_overlays(came.native, self.resize))

    def reconstruct(self, X: Any) -> Any:
        """What the network makes of images.

        Parameters
        ----------
        X : images
            See the class.

        Returns
        -------
        images as they came
            Of the same type: whole numbers are rounded, PIL images are PIL images; of files arrays.
        """
        came = self._came(X)
        return came.give(self._fitted().reconstruct_images(came.native, self.resize))

    def transform(self, X: Any) -> Any:
        """Codes of images.

        Parameters
        ----------
        X : images
            See the class.

        Returns
        -------
        array of shape (n, code_size), float64
            If the network sees patches, a list with an array of shape (patches, code_size) an image.
        """
        came = self._came(X)
        codes = self._fitted().encode_images(came.native, self.resize)
        if self.sees_patches_:
            return [np.asarray(code, dtype=np.float64) for code in codes]
        return np.concatenate(codes).astype(np.float64)

    def inverse_transform(self, codes: Any) -> Any:
        """The images, or patches, of codes.

        Parameters
        ----------
        codes : array of shape (n, code_size)
            As `transform` gives them.

        Returns
        -------
        array of shape (n, height, width) or (n, height, width, 3), float32
            Values in [0, 1].

        Raises
        ------
        ValueError
            If the codes have another number of units, or are not finite.
        """
        model = self._fitted()
        array = np.asarray(codes, dtype=np.float32)
        if array.ndim != 2:
            raise ValueError(f"expected codes of the shape (n, {model.code_size}), got {array.shape}")
        return unsized(model.decode_images(np.ascontiguousarray(array)))

    def sample(self, n_samples: int = 1, random_state: Any = None) -> Any:
        """New images, or patches; the preset made for it is ``"variational"``.

        Parameters
        ----------
        n_samples : int, default=1
            Number of images.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is the seed of the model. The first images do not depend on their number.

        Returns
        -------
        array of shape (n_samples, height, width) or (n_samples, height, width, 3), float32
            Values in [0, 1].
        """
        model = self._fitted()
        n = count_of(n_samples, "n_samples")
        return unsized(model.generate_images(n, 0, self._seed(random_state)))

    def evaluate(self, X: Any, y: Any = None, *, normal: str | Sequence[str] | None = None) -> dict[str, Any]:
        """How well scores find bad images, or, without labels, how well images are reconstructed.

        Parameters
        ----------
        X : images
            See the class.
        y : array of shape (n,), default=None
            Labels: 0 or +1 for good images, anything else for bad ones; all of 0 and 1, or -1 and +1.
        normal : str or list of str, default=None
            Of images in folders, the folders of good ones.

        Returns
        -------
        dict
            With labels AUC-ROC, AUC-PR and the quality of the verdicts, and `pixels`, AUC-ROC and AUPRO of the heat maps,
            where defects have masks (in `ground_truth`, or beside the images); without, PSNR, SSIM and MSE of
            reconstructions.
        """
        came = self._came(X)
        native, folders = came.native, ",".join(words(normal, "normal")) or None
        if y is not None:
            native, folders = came.in_folders(_folders_of(y, len(came))), "good"
        metrics: dict[str, Any] = json.loads(self._fitted().evaluate_images(native, folders))
        return metrics

    def report(self, path: str | os.PathLike[str] | None = None, X: Any = None) -> str | None:
        """Writes the report on the fit, or on new images, as an HTML file that needs nothing else.

        Parameters
        ----------
        path : str or path, default=None
            The file; if None, the HTML is returned.
        X : images, default=None
            New images to report on.
        """
        refuse_input(path, X)
        model = self._fitted()
        if X is None:
            return self._write_report(path, model.report_html())
        return self._write_report(path, model.new_data_html(*self._new_data(X)))

    def _new_data(self, X: Any) -> tuple[_native.Images, str | None, str | None]:
        return given_images(X).native, None, None

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Names of the columns of `transform`: `code_0`, `code_1` and so on."""
        return np.array([f"code_{i}" for i in range(self._fitted().code_size)], dtype=object)

    def _set_model(self, model: _native.Model) -> None:
        super()._set_model(model)
        self.sees_patches_ = model.sees_patches

    def _came(self, X: Any) -> GivenImages:
        self._fitted()
        return given_images(X)

    def _feeds(self, X: Any, inputs: str) -> list[tuple[str, Any]]:
        return [*self._fitted().onnx_image_feeds(self._came(X).native)]

    def _scored(self, X: Any) -> _native.Scores:
        model = self._fitted()
        return model.score_images(given_images(X).native, False, self.resize)[0]


def image_recipe(estimator: Any) -> _native.Recipe:
    """The recipe that the arguments of an estimator describe.

    Raises
    ------
    ValueError
        If an argument is out of range, or the recipe is one of a restorer.
    """
    for name, choices in _CHOICES.items():
        if getattr(estimator, name) not in (None, *choices):
            raise ValueError(f"{name}: expected {' or '.join(map(repr, choices))}, got {getattr(estimator, name)!r}")
    settings = dict(estimator.settings or {})
    settings |= {
        f"data.{name}": getattr(estimator, name) for name in _DATA_FIELDS if getattr(estimator, name) is not None
    }
    recipe = build_recipe(SimpleNamespace(**{**estimator.get_params(deep=False), "settings": settings}), kind="images")
    if json.loads(recipe.to_json())["backbone"]["kind"] == "restore":
        raise ValueError("preset: expected one with a code, got one that restores without: use ImageRestorer")
    return recipe


def _folders_of(y: Any, n: int) -> list[str]:
    """Folders of good images and others, by their labels."""
    labels = np.asarray(y)
    if labels.shape != (n,):
        raise ValueError(f"y: expected {n} labels, one an image, got an array of the shape {labels.shape}")
    kinds = set(labels.tolist())
    for good, bad in ((0, 1), (1, -1)):
        if kinds <= {good, bad} and bad in kinds:
            return ["good" if label == good else "other" for label in labels.tolist()]
    raise ValueError(f"y: expected labels of 0 and 1, or of +1 and -1 for anomalies, got {sorted(map(str, kinds))}")
