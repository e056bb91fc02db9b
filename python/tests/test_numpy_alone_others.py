"""Series, images, search and compression with NumPy alone."""

from test_numpy_alone import run


def test_series_are_scored_streamed_and_pickled() -> None:
    told = run(
        """
        import pickle
        wave = np.sin(np.arange(400) / 5)
        model = narrows.SeriesAutoEncoder("simple", window=16, max_steps=20).fit(wave)
        print(model.score(wave).dtype.names)
        events = model.events(np.where(np.arange(400) == 200, 9.0, wave))
        print(type(events).__name__, len(events["start"]) > 0)
        print(model.transform(wave).shape, model.sample(2).shape)
        stream = model.stream()
        stream.remember(wave[:16])
        print(stream.push([wave[16]])["flag"])
        print((pickle.loads(pickle.dumps(model)).predict(wave) == model.predict(wave)).all())
        print(model.get_params()["window"], repr(model))
        """
    )
    assert told == [
        "('score', 'p_value', 'is_anomaly', 'flag')",
        "dict True",
        "(25, 4) (2, 16)",
        "None",
        "True",
        "16 SeriesAutoEncoder(preset='simple', window=16, max_steps=20)",
    ]


def test_images_are_scored_and_restored() -> None:
    told = run(
        """
        parts = narrows.datasets.parts(24, 2)
        model = narrows.ImageAutoEncoder(code_size=4, max_steps=2).fit(parts.train)
        print(list(model.scores(parts.test)), model.heatmaps(parts.test).shape)
        settings = {"backbone.channels": 8, "backbone.blocks": 1}
        scenes = narrows.datasets.scenes(6)
        restorer = narrows.ImageRestorer("gaussian:25", settings=settings, max_steps=1).fit(scenes)
        print(restorer.restore(scenes[:1]).shape)
        """
    )
    assert told == ["['image', 'score', 'p_value', 'is_anomaly'] (2, 64, 64)", "(1, 96, 96, 3)"]


def test_recipes_are_searched_and_data_compressed() -> None:
    told = run(
        """
        import os, tempfile
        found = narrows.tune(X, trials=1, max_steps=5)
        print(found.estimator().fit(X).recipe_ == found.recipe)
        model = narrows.AutoEncoder("compressing", max_steps=5).fit(X)
        path = os.path.join(tempfile.mkdtemp(), "d.nrw")
        narrows.compress(model, X, path, lossless=True)
        back = narrows.decompress(model, path)
        print(type(back).__name__, (np.column_stack(list(back.values())) == X).all())
        print(type(narrows.datasets.machines(200)["time"]).__name__)
        """
    )
    assert told == ["True", "dict True", "ndarray"]
