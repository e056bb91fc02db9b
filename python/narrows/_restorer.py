"""Restorers of images: networks that undo a corruption."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any, ClassVar, Self

from . import _native
from ._fitted import FittedMixin
from ._image_arrays import given_images
from ._recipe import Recipe, build_recipe, seed_of

__all__ = ["ImageRestorer"]


class ImageRestorer(FittedMixin):
    """Denoises, repairs, sharpens, colours or enlarges images, by a network that learns to undo a corruption.

    It is fitted to clean images and corrupts them itself, differently every time. It restores images of any size.

    Parameters
    ----------
    corruption : str, default="gaussian:25"
        What to undo: ``"gaussian:25"`` or ``"gaussian:5-50"`` (noise, on a scale of 0 to 255), ``"salt_pepper:0.1"``,
        ``"masking:0.3"`` (missing pixels, mid-grey), ``"blocks:0.2:8px"`` (holes of any colour, or of a last parameter:
        ``"blocks:0.2:8px:black"``), ``"blur:1.5"``, ``"jpeg:10-40"``,
        ``"watermark:logo.png:0.4"``, ``"grayscale"`` (to colour images) or ``"downscale:2"`` (to enlarge them); several
        separated by commas.
    preset : str, default="restore"
        The recipe to start from.
    recipe : Recipe, str or path, default=None
        A recipe, TOML text or a file of it, over the preset.
    settings : dict, default=None
        Single fields of the recipe by path, such as ``{"backbone.channels": 24}``.
    max_steps, max_epochs, batch_size : int, default=None
        Limits of the training, and its batch; by default the preset's.
    learning_rate : float, default=None
        By default the preset's.
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
    recipe_, report_, history_, notes_, n_iter_
        See `AutoEncoder`.

    Examples
    --------
    >>> import narrows
    >>> clean = narrows.datasets.scenes(12)
    >>> settings = {"backbone.channels": 8, "backbone.blocks": 1}
    >>> model = narrows.ImageRestorer("gaussian:25", settings=settings, max_steps=10).fit(clean)
    >>> noisy = model.corrupt(clean[:2])
    >>> model.restore(noisy).shape
    (2, 96, 96, 3)
    """

    _model_kind: ClassVar[str] = "restorer"

    def __init__(
        self,
        corruption: str = "gaussian:25",
        *,
        preset: str = "restore",
        recipe: Recipe | str | os.PathLike[str] | None = None,
        settings: dict[str, Any] | None = None,
        max_steps: int | None = None,
        max_epochs: int | None = None,
        batch_size: int | None = None,
        learning_rate: float | None = None,
        random_state: Any = None,
        n_jobs: int | None = None,
        callbacks: Any = None,
        verbose: int = 0,
    ) -> None:
        self.corruption = corruption
        self.preset = preset
        self.recipe = recipe
        self.settings = settings
        self.max_steps = max_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.callbacks = callbacks
        self.verbose = verbose

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fits to clean images.

        Parameters
        ----------
        X : images
            As for `ImageAutoEncoder`: arrays, PIL images, folders.
        y : ignored
            There for scikit-learn.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If the corruption or another argument is invalid, or these are no images.
        TypeError
            If `X` is of another type, or an argument is.
        """
        if not isinstance(self.corruption, str):
            raise TypeError(f"corruption: expected a text such as 'gaussian:25', got {self.corruption!r}")
        recipe = build_recipe(SimpleNamespace(**self.get_params(deep=False)), kind="images", corrupt=self.corruption)
        kind = json.loads(recipe.to_json())["backbone"]["kind"]
        if kind != "restore":
            raise ValueError(f"preset: expected one that restores, got one of the kind {kind}: use ImageAutoEncoder")
        came = given_images(X)
        self._fit_native(recipe, came.native, [])
        return self

    def restore(self, X: Any, mask: Any = None) -> Any:
        """Restores images.

        Parameters
        ----------
        X : images, or one of them
            As for `ImageAutoEncoder`; floats may lie somewhat outside of [0, 1], as noise does that is not clipped.
        mask : images, or one of them, default=None
            For models of missing pixels (``"blocks"``, ``"masking"``): which pixels are lost, in the sizes of the images;
            True, or values of at least half the range. Others come back as they are. One mask serves all images. None: pixels
            of the colour of the fit, or for holes of any colour, flat squares of their size.

        Returns
        -------
        images as they came
            One for one and of the same type: of PIL images PIL images, with their transparency; of files arrays.
            Enlarged if the corruption reduces, with three channels if it takes colours away.
        """
        model = self._fitted()
        came = given_images(X, noisy=True)
        masks = None if mask is None else given_images(mask).native
        return came.give(model.restore(came.native, masks))

    def corrupt(self, X: Any, random_state: Any = None) -> Any:
        """Corrupts clean images as those of the fit, to try the restoration on.

        Parameters
        ----------
        X : images
            As for `ImageAutoEncoder`.
        random_state : int, RandomState, Generator or None, default=None
            Seed; None is 0.

        Returns
        -------
        images as they came
            Of floats, noise may lie outside of [0, 1]; of whole numbers it is clipped.
        """
        came = given_images(X)
        return came.give(_native.corrupt_images(came.native, self.corruption, seed_of(random_state) or 0), clip=False)

    def evaluate(self, X: Any, y: Any = None) -> dict[str, Any]:
        """How well clean images are restored once they are corrupted.

        Parameters
        ----------
        X : images
            Clean images, as for `ImageAutoEncoder`.
        y : ignored
            There for scikit-learn.

        Returns
        -------
        dict
            PSNR, SSIM and MSE of the restored images, of the corrupted ones, and of a classical method.
        """
        model = self._fitted()
        metrics: dict[str, Any] = json.loads(model.evaluate_restorer(given_images(X).native))
        return metrics

    def report(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Writes the report on the fit as an HTML file that needs nothing else.

        Parameters
        ----------
        path : str or path, default=None
            The file; if None, the HTML is returned.
        """
        return self._write_report(path, self._fitted().report_html())

    def _feeds(self, X: Any, inputs: str) -> list[tuple[str, Any]]:
        model = self._fitted()
        return [*model.onnx_image_feeds(given_images(X, noisy=True).native)]

    @classmethod
    def _arguments_of(cls, model: _native.Model) -> dict[str, Any]:
        corrupt = json.loads(model.recipe.to_json())["data"]["corrupt"]
        corruption = corrupt if isinstance(corrupt, str) else ",".join(str(part) for part in corrupt)
        return {**super()._arguments_of(model), "corruption": corruption}
