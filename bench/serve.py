"""Requests per second of `narrows serve`, beside FastAPI with an isolation forest of scikit-learn, on this machine.

    python bench/serve.py [--narrows target/release/narrows] [--seconds 8] [--connections 16]

Both services have a model of 1,000 rows of 20 columns and answer JSON: one row, and a hundred rows, a request. The requests
come from `wrk` on the same cores. Last, a million rows as one Arrow stream, beside `narrows score` of the same file.

needs wrk, and numpy, pyarrow, scikit-learn, fastapi and uvicorn
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

import numpy
import pyarrow
import pyarrow.ipc

COLUMNS = 20
RIVAL = """
import numpy, uvicorn
from fastapi import FastAPI, Request
from sklearn.ensemble import IsolationForest

rows = numpy.loadtxt("train.csv", delimiter=",", skiprows=1)
model = IsolationForest(random_state=0).fit(rows)
app = FastAPI()

@app.post("/score")
async def score(request: Request):
    rows = await request.json()
    return {"scores": (-model.score_samples(numpy.array([list(row.values()) for row in rows]))).tolist()}

uvicorn.run(app, port=8092, log_level="warning")
"""


def rows(n, seed):
    random = numpy.random.default_rng(seed)
    factors = random.normal(size=(n, 4)) @ numpy.random.default_rng(0).normal(size=(4, COLUMNS))
    return factors + 0.3 * random.normal(size=(n, COLUMNS))


def wait(url):
    for _ in range(200):
        try:
            return urllib.request.urlopen(url, timeout=1).status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"no answer from {url}")


def load(folder, url, body, args):
    """Requests per second, the median and the 99th percentile of the latency, and the answers that were no success."""
    script = folder / "post.lua"
    script.write_text(
        f'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\nwrk.body = {json.dumps(body)}\n'
    )
    command = ["wrk", "-t1", f"-c{args.connections}", f"-d{args.seconds}s", "--latency", "-s", script, url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = lambda pattern: re.search(pattern, text)
    refused = found(r"Non-2xx or 3xx responses: (\d+)")
    return (
        float(found(r"Requests/sec:\s+([\d.]+)")[1]),
        found(r"50%\s+(\S+)")[1],
        found(r"99%\s+(\S+)")[1],
        int(refused[1]) if refused else 0,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--narrows", type=pathlib.Path, default=pathlib.Path("target/release/narrows"))
    parser.add_argument("--seconds", type=int, default=8)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the Arrow stream")
    args = parser.parse_args()
    binary = args.narrows.resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        header = ",".join(f"x{i}" for i in range(COLUMNS))
        numpy.savetxt(folder / "train.csv", rows(1000, 1), "%.5f", ",", header=header, comments="")
        run = lambda *words: subprocess.run([binary, *map(str, words), "--quiet"], check=True, cwd=folder)
        run("fit", "train.csv", "-o", "m.narrows")
        (folder / "rival.py").write_text(RIVAL)
        serve = [binary, "serve", "m.narrows", "--port", "8091", "--max-body", str(1 << 30), "--timeout", "600"]
        services = [
            subprocess.Popen([*map(str, serve), "--max-rows", str(args.rows)], cwd=folder, stderr=subprocess.DEVNULL),
            subprocess.Popen([sys.executable, "rival.py"], cwd=folder),
        ]
        try:
            ours, rival = "http://127.0.0.1:8091/v2/models/m/score", "http://127.0.0.1:8092/score"
            wait("http://127.0.0.1:8091/v2/health/ready")
            wait("http://127.0.0.1:8092/docs")
            for n in (1, 100):
                body = json.dumps([dict(zip(header.split(","), row)) for row in rows(n, 2).round(5).tolist()])
                for service, url in (("narrows serve", ours), ("FastAPI, isolation forest", rival)):
                    rate, median, p99, refused = load(folder, url, body, args)
                    print(f"{n:3} rows  {service:26} {rate:9.0f} requests/s  p50 {median:>8}  p99 {p99:>8}  refused {refused}")
            table = pyarrow.table({name: column for name, column in zip(header.split(","), rows(args.rows, 3).T)})
            with pyarrow.ipc.new_stream(folder / "new.arrows", table.schema) as writer:
                writer.write_table(table, max_chunksize=65536)
            kind = "application/vnd.apache.arrow.stream"
            request = urllib.request.Request(
                ours, (folder / "new.arrows").read_bytes(), {"Content-Type": kind, "Accept": kind}
            )
            start = time.time()
            answer = urllib.request.urlopen(request).read()
            served = time.time() - start
            start = time.time()
            run("score", "m.narrows", "new.arrows", "-o", "scores.arrow")
            scored = time.time() - start
            n = pyarrow.ipc.open_stream(answer).read_all().num_rows
            print(f"{n} rows as Arrow: {n / served:.0f} rows/s served, {n / scored:.0f} rows/s by `narrows score`")
        finally:
            for service in services:
                service.kill()


if __name__ == "__main__":
    main()
