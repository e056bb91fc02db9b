"""Model cards, folders of models, and the Hugging Face Hub, whose calls go to a stand-in: nothing outside is reached."""

import functools
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import narrows

hub = pytest.importorskip("huggingface_hub")
QUICK = {"max_steps": 15, "random_state": 0}
RNG = np.random.default_rng(3)


@functools.cache
def table() -> narrows.AutoEncoder:
    payments = narrows.datasets.payments(400)
    return narrows.AutoEncoder(label="is_fraud", normal="0", **QUICK).fit(payments)


@functools.cache
def series() -> narrows.SeriesAutoEncoder:
    wave = np.sin(np.arange(600) / 9) + 0.05 * RNG.normal(size=600)
    return narrows.SeriesAutoEncoder(**QUICK).fit(wave)


@functools.cache
def images() -> narrows.ImageAutoEncoder:
    return narrows.ImageAutoEncoder("deep", **QUICK).fit(RNG.random((24, 12, 12)))


@functools.cache
def restorer() -> narrows.ImageRestorer:
    return narrows.ImageRestorer("gaussian:25", max_steps=3, random_state=0).fit(RNG.random((12, 24, 24)))


@functools.cache
def encoder() -> Any:
    return table().encoder()


KINDS = {"table": table, "series": series, "images": images, "restorer": restorer, "encoder": encoder}


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_has_the_model_its_configuration_and_its_card(kind: str, tmp_path: Path) -> None:
    model = KINDS[kind]()
    model.save_pretrained(tmp_path / "new" / kind, license="MIT", repo_id=f"me/{kind}")
    folder = tmp_path / "new" / kind
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    model.save(tmp_path / "m.narrows")
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "m.narrows").read_bytes()

    loaded = narrows.from_pretrained(folder)
    assert type(loaded) is type(model)
    assert loaded.model_ == model.model_

    config = json.loads((folder / "config.json").read_text())
    assert config["library_name"] == "narrows"
    assert config["model_type"] == kind
    assert config["narrows_version"] == narrows.__version__
    assert config["recipe"] == model.recipe_.to_dict()
    assert config.get("threshold") == getattr(model, "threshold_", None)
    if kind in ("table", "encoder"):
        assert [column["name"] for column in config["schema"]["columns"]] == model.model_.names()

    # As the Hub's own library reads it.
    card = hub.ModelCard((folder / "README.md").read_text())
    assert card.text.lstrip().startswith("# ")
    assert card.data.library_name == "narrows"
    assert card.data.license == "mit"
    assert {"narrows", "autoencoder"} <= set(card.data.tags)
    expected = {"restorer": "image-to-image", "encoder": "feature-extraction"}
    assert card.data.pipeline_tag == expected.get(kind)
    assert f'from_pretrained("me/{kind}")' in card.text
    assert card.text.count("```") % 2 == 0


def test_labelled_data_give_results_that_the_hub_reads(tmp_path: Path) -> None:
    model = table()
    new = narrows.datasets.payments(400, random_state=1)
    found = model.evaluate(new)
    card = hub.ModelCard(model.card(new, repo_id="me/payments"))
    results = {result.metric_type: result for result in card.data.eval_results}
    assert results["roc_auc"].metric_value == pytest.approx(found["auc_roc"], abs=1e-6)
    assert results["average_precision"].metric_value == pytest.approx(found["auc_pr"], abs=1e-6)
    assert results["recall"].metric_value == pytest.approx(found["recall"], abs=1e-6)
    assert results["roc_auc"].task_type == "anomaly-detection"
    assert card.data.model_name == "payments"
    # Without data it claims nothing, and without the label neither.
    for unlabelled in (None, new.drop(columns="is_fraud")):
        assert "model-index" not in model.card(unlabelled)


def test_quality_of_held_out_images_is_a_result() -> None:
    model = restorer()
    card = hub.ModelCard(model.card())
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results["psnr"] == pytest.approx(model.report_["quality"]["restored"]["psnr"], abs=1e-6)


def test_no_name_of_the_data_becomes_markup() -> None:
    hostile = ["a|b", "`c`", "<b>d</b>", "---", "e\n# f", "[g](http://h)", 'i" #', "  "]
    X = RNG.normal(size=(200, len(hostile)))
    frame = pytest.importorskip("pandas").DataFrame(X, columns=hostile)
    model = narrows.AutoEncoder("deep", **QUICK).fit(frame)
    card = hub.ModelCard(model.card(frame))
    assert card.data.library_name == "narrows"
    columns = card.text.split("### Columns")[1].split("\n## ")[0]
    rows = [line for line in columns.splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(hostile)
    assert {line.count("|") for line in rows} == {rows[0].count("|")}
    assert "`<b>d</b>`" in columns
    assert "\n# f" not in card.text
    assert "[g](" not in columns.replace("`[g](http://h)`", "")


def test_the_card_has_no_row_of_the_data() -> None:
    """Numbers of training rows are there as ranges at most."""
    secret = 123456.75
    X = RNG.normal(size=(300, 3))
    X[17] = [secret, 5.5, -7.25]
    X[18, 0] = 2 * secret
    X[19, 0] = -3 * secret
    card = narrows.AutoEncoder("auto", **QUICK).fit(X).card()
    assert "contains training data" in card
    assert "123,457" not in card
    assert "123456" not in card


def test_wrong_arguments_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    model = table()
    with pytest.raises(ValueError, match="license: expected an identifier such as mit"):
        model.save_pretrained(tmp_path / "x", license="my own licence")
    with pytest.raises(ValueError, match="no scores to measure"):
        model.encoder().save_pretrained(tmp_path / "x", X=np.ones((3, 2)))
    with pytest.raises(ValueError, match="not fitted"):
        narrows.AutoEncoder().push_to_hub("me/x")
    assert not (tmp_path / "x").exists()
    with pytest.raises(FileNotFoundError, match="no name of a repository"):
        narrows.from_pretrained(tmp_path / "x")
    with pytest.raises(OSError, match=r"model\.safetensors"):
        narrows.from_pretrained(tmp_path)


class Api:
    """A stand-in for HfApi: keeps what it is asked for, and the files."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.files: dict[str, bytes] = {}

    def create_repo(self, repo_id: str, **given: Any) -> None:
        self.calls.append(("create_repo", {"repo_id": repo_id, **given}))

    def create_branch(self, repo_id: str, **given: Any) -> None:
        self.calls.append(("create_branch", {"repo_id": repo_id, **given}))

    def upload_folder(self, *, folder_path: str, **given: Any) -> SimpleNamespace:
        self.calls.append(("upload_folder", given))
        self.files = {path.name: path.read_bytes() for path in Path(folder_path).iterdir()}
        return SimpleNamespace(commit_url="https://hub/me/payments/commit/1")


def test_a_push_uploads_the_folder(tmp_path: Path) -> None:
    model, api = table(), Api()
    address = model.push_to_hub("me/payments", license="mit", private=True, revision="trial", api=api)
    assert address == "https://hub/me/payments/commit/1"
    assert [name for name, _ in api.calls] == ["create_repo", "create_branch", "upload_folder"]
    assert api.calls[0][1] == {"repo_id": "me/payments", "private": True, "exist_ok": True}
    assert api.calls[2][1]["revision"] == "trial"
    model.save_pretrained(tmp_path, license="mit", repo_id="me/payments")
    assert api.files == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_the_calls_are_those_of_the_hubs_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is passed to the stand-in is bound to the signatures of the real one."""
    import inspect

    api = Api()
    table().push_to_hub("me/payments", revision="trial", api=api)
    for name, given in api.calls:
        more = {"folder_path": "."} if name == "upload_folder" else {}
        inspect.signature(getattr(hub.HfApi, name)).bind(None, **given, **more)
    made: list[dict[str, Any]] = []

    def stand_in(**given: Any) -> Api:
        inspect.signature(hub.HfApi).bind(**given)
        made.append(given)
        return Api()

    monkeypatch.setattr(hub, "HfApi", stand_in)
    table().push_to_hub("me/payments", token="hf_x")
    assert made == [{"token": "hf_x", "library_name": "narrows", "library_version": narrows.__version__}]


def test_a_repository_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    model = table()
    model.save_pretrained(tmp_path)
    real = inspect.signature(hub.hf_hub_download)
    asked: list[dict[str, Any]] = []

    def download(*args: Any, **given: Any) -> str:
        asked.append(real.bind(*args, **given).arguments)
        return str(tmp_path / "model.safetensors")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    loaded = narrows.from_pretrained("me/payments", revision="v1", cache_dir=tmp_path)
    assert loaded.model_ == model.model_
    assert asked[0]["repo_id"] == "me/payments"
    assert asked[0]["filename"] == "model.safetensors"
    assert asked[0]["revision"] == "v1"


def test_without_the_package_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ImportError, match=r"me/payments.*pip install huggingface_hub"):
        narrows.from_pretrained("me/payments")
    with pytest.raises(ImportError, match="push_to_hub needs huggingface_hub"):
        table().push_to_hub("me/payments")
