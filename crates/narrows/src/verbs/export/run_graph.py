"""Runs an ONNX graph with ONNX Runtime: run_graph.py GRAPH FOLDER; inputs are read from the folder, scores written into it."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

BATCH = 1000
VALUES = 1 << 20

graph, folder = sys.argv[1], Path(sys.argv[2])
options = onnxruntime.SessionOptions()
options.log_severity_level = 3
session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
wanted = {value.name for value in session.get_inputs()}
feeds = {}
for entry in json.loads((folder / "inputs.json").read_text(encoding="utf-8")):
    path = folder / entry["file"]
    if entry["kind"] == "text":
        values = np.array(json.loads(path.read_text(encoding="utf-8")), dtype=object)
    else:
        values = np.fromfile(path, dtype=entry["kind"])
    if entry["name"] in wanted:
        feeds[entry["name"]] = values.reshape(entry["shape"])
outputs = [value.name for value in session.get_outputs() if value.name in ("scores", "label")]
rows = len(next(iter(feeds.values())))
# Few images at once: each has many distances.
batch = max(1, min(BATCH, VALUES // max(1, max(values[:1].size for values in feeds.values()))))
scores, labels = [], []
for first in range(0, rows, batch):
    part = {name: values[first : first + batch] for name, values in feeds.items()}
    found = dict(zip(outputs, session.run(outputs, part), strict=True))
    scores.append(found["scores"].ravel())
    labels.append(found.get("label", np.empty(0)).ravel())
np.concatenate([*scores, np.empty(0)]).astype("<f8").tofile(folder / "scores.bin")
np.concatenate([*labels, np.empty(0, dtype="u1")]).astype("u1").tofile(folder / "labels.bin")
print(onnxruntime.__version__)
