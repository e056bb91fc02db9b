"""Scores per second of models, beside ONNX Runtime on their exported graphs: same rows, same threads, one run.

    python bench/onnx.py [--threads 1] [--rows 100000] [--rounds 5]

The graph does all that the model does: preparation, networks, distances, threshold and p-values. Both are given arrays in
memory; a round is one call of each, in turns, and the ratio is that of the medians.

needs narrows (a release build), onnxruntime and numpy
"""

import argparse
import statistics
import time

import numpy as np
import onnxruntime

import narrows

COLUMNS = 20
BATCH = 10_000


def rows(n, seed):
    random = np.random.default_rng(seed)
    factors = random.normal(size=(n, 4)) @ np.random.default_rng(0).normal(size=(4, COLUMNS))
    return factors + 0.3 * random.normal(size=(n, COLUMNS))


def pictures(n, seed):
    """Smooth pictures of 28 by 28 pixels."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[0:28, 0:28] / 28
    waves = random.uniform(1, 6, size=(n, 2, 1, 1))
    shifts = random.uniform(0, 6, size=(n, 2, 1, 1))
    return (0.5 + 0.25 * (np.sin(waves[:, :1] * x + shifts[:, :1]) + np.cos(waves[:, 1:] * y + shifts[:, 1:]))[:, 0]).astype(
        np.float32
    )


def session(graph, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def compare(name, model, data, feeds, threads, rounds):
    run = session(model.to_onnx(), threads)

    def by_graph():
        parts = []
        for first in range(0, len(data), BATCH):
            part = {name: values[first : first + BATCH] for name, values in feeds.items()}
            parts.append(run.run(["scores", "label", "p_values"], part)[0])
        return np.concatenate(parts).ravel()

    def by_model():
        return -model.score_samples(data)

    difference = np.max(np.abs(by_graph() / by_model() - 1))
    times = {by_model: [], by_graph: []}
    for _ in range(rounds):
        for work, spent in times.items():
            start = time.perf_counter()
            work()
            spent.append(time.perf_counter() - start)
    ours, theirs = (statistics.median(spent) for spent in times.values())
    print(
        f"| {name} | {len(data) / ours:,.0f} | {len(data) / theirs:,.0f} | {theirs / ours:.2f} | {difference:.1e} |",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    print(f"onnxruntime {onnxruntime.__version__}, narrows {narrows.__version__}, {arguments.threads} threads")
    print("| model | narrows, samples/s | ONNX Runtime, samples/s | ratio | largest difference |")
    print("|---|---|---|---|---|")
    data = rows(arguments.rows, 1)
    for preset in ("deep", "auto"):
        n = arguments.rows if preset == "deep" else arguments.rows // 10
        model = narrows.AutoEncoder(preset, max_steps=300, n_jobs=arguments.threads).fit(rows(5_000, 0))
        compare(f"table, {preset}", model, data[:n], model.onnx_feeds(data[:n]), arguments.threads, arguments.rounds)
    images = pictures(5_000, 1)
    for preset in ("deep", "conv"):
        model = narrows.ImageAutoEncoder(
            preset, max_steps=100, n_jobs=arguments.threads, settings={"detect.score": "residual"}
        ).fit(pictures(1_000, 0))
        feeds = {"images": images[:, None]}
        compare(f"images 28x28, {preset}", model, images, feeds, arguments.threads, arguments.rounds)


if __name__ == "__main__":
    main()
