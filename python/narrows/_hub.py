"""Models as folders and as repositories of the Hugging Face Hub: model file, configuration, model card."""

from __future__ import annotations

import errno
import json
import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _native
from ._errors import missing_package

if TYPE_CHECKING:
    from ._load import Estimator

__all__ = ["HubMixin", "from_pretrained"]

_MODEL = "model.safetensors"
_CONFIG = "config.json"
_CARD = "README.md"


class HubMixin:
    """What every model can be published as."""

    def _fitted(self) -> _native.Model:
        raise NotImplementedError

    def _new_data(self, X: Any) -> tuple[_native.Table | _native.Images, str | None, str | None]:
        """Data that the model was not fitted to, their label if they have it, and its value in normal rows."""
        raise ValueError(f"expected no X: {type(self).__name__} has no scores to measure on it")

    def card(self, X: Any = None, *, license: str | None = None, repo_id: str | None = None) -> str:
        """The model card: a README with what the Hugging Face Hub reads at its head.

        It says what the model is and was fitted to, how it was trained, its threshold and false-alarm rate, its quality, its
        limits, and how to use it. It has names of columns and ranges of values, as the model file has, but no rows.

        Parameters
        ----------
        X : data, optional
            Data that the model was not fitted to, on which it is measured; if they have the label of the fit, the card has
            metrics.
        license : str, optional
            Licence of the model, as the Hub names it: ``"mit"``, ``"apache-2.0"``, ``"other"``. Without, it is ``unknown``.
        repo_id : str, optional
            The repository, ``"owner/name"``, that the examples of the card load.

        Returns
        -------
        str
            Markdown.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ValueError
            If `X` does not fit the model, or the licence is no identifier.

        Examples
        --------
        >>> import narrows, numpy as np
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> card = narrows.AutoEncoder("deep", max_steps=5).fit(X).card(license="mit")
        >>> card.splitlines()[:3]
        ['---', 'library_name: narrows', 'license: mit']
        """
        model = self._fitted()
        found = None if X is None else model.new_data_json(*self._new_data(X))
        return model.card(license, repo_id, _MODEL, found)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        *,
        X: Any = None,
        license: str | None = None,
        repo_id: str | None = None,
    ) -> None:
        """Saves the model as a folder that `narrows.from_pretrained` reads: the model file as ``model.safetensors``, what it
        is as ``config.json``, and its card as ``README.md``.

        Parameters
        ----------
        save_directory : str or path
            The folder, which is made if it is not there. Files of these names in it are replaced.
        X : data, optional
            Data that the model was not fitted to, for the card.
        license, repo_id : str, optional
            As for `card`.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        OSError
            If the folder cannot be written.

        Examples
        --------
        >>> import narrows, numpy as np, os, tempfile
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> folder = tempfile.mkdtemp()
        >>> narrows.AutoEncoder("deep", max_steps=5).fit(X).save_pretrained(folder)
        >>> sorted(os.listdir(folder))
        ['README.md', 'config.json', 'model.safetensors']
        >>> type(narrows.from_pretrained(folder)).__name__
        'AutoEncoder'
        """
        model = self._fitted()
        # What can be refused comes before the folder.
        card = self.card(X, license=license, repo_id=repo_id)
        folder = Path(save_directory)
        folder.mkdir(parents=True, exist_ok=True)
        model.save(str(folder / _MODEL))
        config = json.dumps(_config(model), indent=2, ensure_ascii=False, allow_nan=False)
        _native.write_file(str(folder / _CONFIG), f"{config}\n".encode())
        _native.write_file(str(folder / _CARD), card.encode())

    def push_to_hub(
        self,
        repo_id: str,
        *,
        X: Any = None,
        license: str | None = None,
        private: bool | None = None,
        revision: str | None = None,
        commit_message: str = "Upload model",
        create_pr: bool = False,
        token: str | bool | None = None,
        api: Any = None,
    ) -> str:
        """Uploads the model to a repository of the Hugging Face Hub, which is made if it is not there.

        A model that scores by distances, as most presets' do, contains training rows: the card says whether it does.

        Parameters
        ----------
        repo_id : str
            The repository, ``"owner/name"``.
        X : data, optional
            Data that the model was not fitted to, for the card.
        license : str, optional
            As for `card`.
        private : bool, optional
            Whether a new repository is private; by default as the owner has set.
        revision : str, optional
            The branch, which is made if it is not there; by default ``main``.
        commit_message : str
            First line of the commit.
        create_pr : bool
            Whether to open a pull request instead of committing to the branch.
        token : str or bool, optional
            Access token; by default the one that was saved by ``hf auth login``.
        api : HfApi, optional
            What talks to the Hub instead; it has its own token.

        Returns
        -------
        str
            The address of the commit.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        ImportError
            If huggingface_hub is not installed.
        """
        self._fitted()
        if api is None:
            api = _hub("push_to_hub").HfApi(token=token, library_name="narrows", library_version=_native.__version__)
        with tempfile.TemporaryDirectory() as folder:
            # Whatever is wrong with the card comes before the repository.
            self.save_pretrained(folder, X=X, license=license, repo_id=repo_id)
            api.create_repo(repo_id, private=private, exist_ok=True)
            if revision is not None and not create_pr:
                api.create_branch(repo_id, branch=revision, exist_ok=True)
            commit = api.upload_folder(
                repo_id=repo_id,
                folder_path=folder,
                commit_message=commit_message,
                revision=revision,
                create_pr=create_pr,
            )
        return str(commit.commit_url)


def from_pretrained(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    local_files_only: bool = False,
) -> Estimator:
    """Loads a model from a folder that `save_pretrained` wrote, or from a repository of the Hugging Face Hub.

    Parameters
    ----------
    name : str or path
        A folder, or a repository such as ``"owner/name"``. A folder of that name comes first.
    revision : str, optional
        Branch, tag or commit of the repository; by default ``main``.
    token : str or bool, optional
        Access token; by default the one that was saved by ``hf auth login``.
    cache_dir : str or path, optional
        Where downloads are kept; by default where huggingface_hub keeps all.
    local_files_only : bool
        Whether to use only what was downloaded before.

    Returns
    -------
    AutoEncoder, SeriesAutoEncoder, ImageAutoEncoder, ImageRestorer or Encoder
        The fitted estimator of the model's kind. Its file is data, and runs no code.

    Raises
    ------
    OSError
        If there is no such folder or repository, or it cannot be read.
    ModelFileError
        If its file is no model, damaged, or of a newer version.
    ImportError
        If huggingface_hub is needed and not installed.

    Examples
    --------
    >>> import narrows, numpy as np, tempfile
    >>> X = np.random.default_rng(0).normal(size=(100, 3))
    >>> folder = tempfile.mkdtemp()
    >>> narrows.AutoEncoder("deep", max_steps=5).fit(X).save_pretrained(folder)
    >>> narrows.from_pretrained(folder).predict(X).shape
    (100,)
    """
    from ._load import load

    place = os.fspath(name)
    if os.path.isdir(place):
        return load(os.path.join(place, _MODEL))
    if not isinstance(name, str) or name.startswith((".", "~", "/")) or name.count("/") > 1 or "\\" in name:
        raise FileNotFoundError(errno.ENOENT, "No such folder, and no name of a repository", place)
    hub = _hub(f"from_pretrained({name!r}), which is no folder here,")
    path = hub.hf_hub_download(
        name,
        _MODEL,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        local_files_only=local_files_only,
        library_name="narrows",
        library_version=_native.__version__,
    )
    return load(path)


def _hub(what: str) -> Any:
    """The package that talks to the Hub."""
    try:
        import huggingface_hub
    except ImportError as error:
        raise missing_package("huggingface_hub", what) from error
    return huggingface_hub


def _config(model: _native.Model) -> dict[str, Any]:
    """What a model is, for the Hub and for people; nothing is read from it."""
    kind = model.kind
    report = {} if kind == "encoder" else json.loads(model.report_json())
    recipe = json.loads(model.recipe.to_json())
    config: dict[str, Any] = {
        "library_name": "narrows",
        "narrows_version": report.get("version", _native.__version__),
        "model_type": kind,
        "model_file": _MODEL,
        "preset": recipe["preset"],
    }
    detection = report.get("detection")
    if detection is not None:
        threshold = detection["threshold"]
        config["threshold"] = threshold if threshold is not None and math.isfinite(threshold) else None
        config["threshold_rule"] = detection["rule"]
        config["promised_rate"] = detection["promised_rate"]
    if kind != "restorer":
        config["code_size"] = model.code_size
    if kind in ("table", "series", "encoder"):
        config["schema"] = json.loads(model.schema_json())
    config["recipe"] = recipe
    return config
