"""Times a training step of ours beside PyTorch's: forward, backward and Adam, with equal threads.

Both sides start from the same weights, see the same rotating batches, and must report the same losses
before anything is timed. Then they take turns in one run; the medians over the turns are compared:

    RATIO case ours_ms rival_ms rival/ours

Run it through run.sh. A case is a line in CASES; another kind of network is a class beside `Dense` here
and a request beside `dense` in src/train_step.rs. Words after the binary choose the cases whose names
contain one of them.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy
import torch
from torch import nn

N_BATCHES = 8
ROUNDS = 21
SECONDS_A_TURN = 0.15
N_CHECKED = 10
TOLERANCE = 2e-4  # both sides round in f32, in other orders
LEARNING_RATE = 1e-3


class Ours:
    """The child process; it stays alive, so that both sides can take turns."""

    def __init__(self, binary):
        self.child = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        print(*words, file=self.child.stdin, flush=True)
        answer = self.child.stdout.readline()
        assert answer, "our side ended"
        return answer

    def losses(self, n):
        return [float(x) for x in self.ask("losses", n).split()]

    def time(self, n):
        return float(self.ask("time", n))


class Dense:
    """Dense layers with ReLU between them."""

    def __init__(self, widths, loss, batch):
        self.widths, self.loss, self.batch = widths, loss, batch

    def name(self):
        return f"dense-{'-'.join(map(str, self.widths))}/b{self.batch}/{self.loss}"

    def build(self):
        layers = []
        for inputs, outputs in zip(self.widths, self.widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def data(self):
        rows = torch.rand if self.loss == "bce" else torch.randn
        return [rows(self.batch, self.widths[0]) for _ in range(N_BATCHES)]

    def request(self, threads, folder):
        return ["dense", "-".join(map(str, self.widths)), self.loss, self.batch, threads, folder]


class Images:
    """The convolutional autoencoder of the Keras blog, for images of 28 by 28."""

    formats = [torch.contiguous_format, torch.channels_last]

    def __init__(self, loss, batch):
        self.loss, self.batch = loss, batch

    def name(self):
        return f"images-28x28/b{self.batch}/{self.loss}"

    def build(self):
        same = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        up = lambda: nn.Upsample(scale_factor=2)
        return nn.Sequential(
            *[*same(1, 16), nn.MaxPool2d(2), *same(16, 8), nn.MaxPool2d(2)],
            *[*same(8, 8), nn.MaxPool2d(2, ceil_mode=True)],
            *[*same(8, 8), up(), *same(8, 8), up(), nn.Conv2d(8, 16, 3), nn.ReLU(), up()],
            nn.Conv2d(16, 1, 3, padding=1),
        )

    def data(self):
        return [torch.rand(self.batch, 1, 28, 28) for _ in range(N_BATCHES)]

    def request(self, threads, folder):
        return ["images", self.loss, self.batch, threads, folder]


class Series:
    """Strided convolutions over series of 128 steps and back."""

    def __init__(self, loss, batch):
        self.loss, self.batch = loss, batch

    def name(self):
        return f"series-128/b{self.batch}/{self.loss}"

    def build(self):
        down = lambda inputs, outputs: nn.Conv1d(inputs, outputs, 5, 2, 2)
        up = lambda inputs, outputs: nn.ConvTranspose1d(inputs, outputs, 5, 2, 2, 1)
        return nn.Sequential(down(1, 32), nn.ReLU(), down(32, 64), nn.ReLU(), up(64, 32), nn.ReLU(), up(32, 1))

    def data(self):
        return [torch.randn(self.batch, 1, 128) for _ in range(N_BATCHES)]

    def request(self, threads, folder):
        return ["series", self.loss, self.batch, threads, folder]


class Rival:
    """PyTorch, eager, with its fused Adam and its layout of maps if those are faster here."""

    def __init__(self, case, adam, layout=torch.contiguous_format):
        self.network, self.batches, self.next = case.build().to(memory_format=layout), case.data(), 0
        self.loss = {"mse": nn.MSELoss(), "bce": nn.BCEWithLogitsLoss()}[case.loss]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, **adam)

    def step(self):
        batch = self.batches[self.next % N_BATCHES]
        self.next += 1
        self.optimizer.zero_grad()
        loss = self.loss(self.network(batch), batch)
        loss.backward()
        self.optimizer.step()
        return loss

    def losses(self, n):
        return [self.step().item() for _ in range(n)]

    def time(self, n):
        start = time.perf_counter()
        for _ in range(n):
            self.step()
        return time.perf_counter() - start


def steps_a_turn(side):
    side.time(10)
    return max(5, int(SECONDS_A_TURN / (side.time(20) / 20)))


def compare(ours, case, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    layouts = getattr(case, "formats", [torch.contiguous_format])
    rivals = {
        (adam, layout): Rival(case, {adam: True}, layout) for adam in ("fused", "foreach") for layout in layouts
    }
    first = rivals["fused", torch.contiguous_format]
    for (_, layout), other in rivals.items():
        other.network.load_state_dict(first.network.state_dict())
        other.batches = [batch.contiguous(memory_format=layout) for batch in first.batches]
    with tempfile.TemporaryDirectory() as folder:
        values = [p.detach().numpy().ravel() for p in first.network.parameters()]
        numpy.concatenate(values).astype("<f4").tofile(Path(folder) / "params.f32")
        torch.stack(first.batches).numpy().astype("<f4").tofile(Path(folder) / "batches.f32")
        assert ours.ask(*case.request(threads, folder)).strip() == "ok"
    wanted = ours.losses(N_CHECKED)
    for rival in rivals.values():
        got = rival.losses(N_CHECKED)
        for step, (a, b) in enumerate(zip(wanted, got)):
            assert abs(a - b) <= TOLERANCE * max(abs(a), abs(b)), f"step {step}: ours {a}, PyTorch {b}"
    sides = {"ours": ours, **rivals}
    counts = {name: steps_a_turn(side) for name, side in sides.items()}
    times = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, side in sides.items():
            times[name].append(side.time(counts[name]) / counts[name] * 1e3)
    medians = {name: statistics.median(values) for name, values in times.items()}
    mine, best = medians.pop("ours"), min(medians.values())
    print(f"RATIO {case.name()}/t{threads} {mine:.4f} {best:.4f} {best / mine:.2f}", flush=True)


CASES = [
    (Dense([20, 64, 32, 32, 64, 20], "mse", 32), 1),
    (Dense([784, 128, 64, 32, 64, 128, 784], "bce", 256), 1),
    (Dense([784, 128, 64, 32, 64, 128, 784], "bce", 256), 2),
    (Images("bce", 128), 1),
    (Images("bce", 128), 2),
    (Series("mse", 64), 1),
    (Series("mse", 64), 2),
]

if __name__ == "__main__":
    side = Ours(sys.argv[1])
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}", flush=True)
    for case, threads in CASES:
        name = f"{case.name()}/t{threads}"
        if len(sys.argv) < 3 or any(word in name for word in sys.argv[2:]):
            compare(side, case, threads)
