"""Times a training step of ours beside PyTorch's: forward, backward and Adam, with equal threads.

Both sides start from the same weights, see the same rotating batches, and must report the same losses
before anything is timed. Then they take turns in one run; the medians over the turns are compared:

    RATIO case ours_ms rival_ms rival/ours

Run it through run.sh; words after it choose the cases whose names hold one of them. A case is a line in
CASES; another kind of network is a class beside `Dense` here and a request beside `dense` in
src/train_step.rs.
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


class Sequence:
    """Recurrent layers to a code, the code once a step, recurrent layers and a dense one at each step."""

    loss = "mse"

    def __init__(self, encoder, decoder, steps, batch):
        self.encoder, self.decoder, self.steps, self.batch = encoder, decoder, steps, batch

    def name(self):
        encoder, decoder = ("-".join(map(str, widths)) for widths in (self.encoder, self.decoder))
        return f"lstm-{encoder}:{decoder}/s{self.steps}/b{self.batch}"

    def build(self):
        return SequenceNetwork(self.encoder, self.decoder, self.steps)

    def data(self):
        return [torch.randn(self.batch, self.steps, self.encoder[0]) for _ in range(N_BATCHES)]

    def request(self, threads, folder):
        widths = ["-".join(map(str, widths)) for widths in (self.encoder, self.decoder)]
        return ["sequence", *widths, self.steps, self.batch, threads, folder]


class SequenceNetwork(nn.Module):
    """As PyTorch users write it; parameters in the order of the layers."""

    def __init__(self, encoder, decoder, steps):
        super().__init__()
        self.steps = steps
        self.encoder = nn.ModuleList(nn.LSTM(*pair, batch_first=True) for pair in zip(encoder, encoder[1:]))
        self.decoder = nn.ModuleList(nn.LSTM(*pair, batch_first=True) for pair in zip(decoder[:-1], decoder[1:-1]))
        self.dense = nn.Linear(*decoder[-2:])

    def forward(self, x):
        for lstm in self.encoder:
            x, (last, _) = lstm(x)
        x = last[0][:, None].expand(-1, self.steps, -1)
        for lstm in self.decoder:
            x, _ = lstm(x)
        return self.dense(x)


class Rival:
    """PyTorch, eager, with its fused Adam if that is faster here."""

    def __init__(self, case, adam):
        self.network, self.batches, self.next = case.build(), case.data(), 0
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
    side.time(5)
    return max(2, int(SECONDS_A_TURN / (side.time(10) / 10)))


def compare(ours, case, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    rivals = {"fused": Rival(case, {"fused": True}), "foreach": Rival(case, {"foreach": True})}
    first = rivals["fused"]
    for other in rivals.values():
        other.network.load_state_dict(first.network.state_dict())
        other.batches = first.batches
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
    (Sequence([1, 64], [64, 64, 1], 140, 64), 1),
    (Sequence([1, 64], [64, 64, 1], 140, 64), 2),
    (Sequence([1, 256, 128], [128, 128, 256, 1], 140, 32), 1),
    (Sequence([1, 256, 128], [128, 128, 256, 1], 140, 32), 2),
]

if __name__ == "__main__":
    side = Ours(sys.argv[1])
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}", flush=True)
    chosen = sys.argv[2:]
    for case, threads in CASES:
        if not chosen or any(word in f"{case.name()}/t{threads}" for word in chosen):
            compare(side, case, threads)
