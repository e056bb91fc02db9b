"""Times a training step of ours beside PyTorch's: forward, backward and Adam, with equal threads.

Both sides start from the same weights, see the same rotating batches, and must report the same losses
before anything is timed. Then they take turns in one run; the medians over the turns are compared. A case
in use times the forward pass alone, after the mean squares of the outputs agree.

    RATIO case ours_ms rival_ms rival/ours

Run it through run.sh; words after it choose the cases whose names hold one of them. A case is a line in
CASES; another kind of network is a class beside `Dense` here and a function beside `dense` in
src/networks.rs.
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
        return [float(x) for x in self.ask("losses" if self.trains else "outputs", n).split()]

    def time(self, n):
        return float(self.ask("time" if self.trains else "infer", n))


def joined(widths):
    return "-".join(map(str, widths))


class Case:
    """A network and its batches. `words` ask our side for the network, `build` makes it in PyTorch."""

    layouts = [torch.contiguous_format]  # those of PyTorch that are worth a try
    trains = True

    def __init__(self, loss, batch):
        self.loss, self.batch = loss, batch


class Dense(Case):
    """Dense layers with ReLU between them."""

    def __init__(self, widths, loss, batch):
        super().__init__(loss, batch)
        self.widths = widths

    def name(self):
        return f"dense-{joined(self.widths)}/b{self.batch}/{self.loss}"

    def words(self):
        return ["dense", joined(self.widths)]

    def build(self):
        layers = []
        for inputs, outputs in zip(self.widths, self.widths[1:]):
            layers += [nn.Linear(inputs, outputs), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def data(self):
        rows = torch.rand if self.loss == "bce" else torch.randn
        return [rows(self.batch, self.widths[0]) for _ in range(N_BATCHES)]


class Sequence(Case):
    """Recurrent layers to a code, the code once a step, recurrent layers and a dense one at each step."""

    def __init__(self, encoder, decoder, steps, batch):
        super().__init__("mse", batch)
        self.encoder, self.decoder, self.steps = encoder, decoder, steps

    def name(self):
        return f"lstm-{joined(self.encoder)}:{joined(self.decoder)}/s{self.steps}/b{self.batch}"

    def words(self):
        return ["sequence", joined(self.encoder), joined(self.decoder), self.steps]

    def build(self):
        return SequenceNetwork(self.encoder, self.decoder, self.steps)

    def data(self):
        return [torch.randn(self.batch, self.steps, self.encoder[0]) for _ in range(N_BATCHES)]


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


class Images(Case):
    """The convolutional autoencoder of the Keras blog, for images of 28 by 28."""

    layouts = [torch.contiguous_format, torch.channels_last]

    def name(self):
        return f"images-28x28/b{self.batch}/{self.loss}"

    def words(self):
        return ["images"]

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


class Series(Case):
    """Strided convolutions over series of 128 steps and back."""

    def name(self):
        return f"series-128/b{self.batch}/{self.loss}"

    def words(self):
        return ["series"]

    def build(self):
        down = lambda inputs, outputs: nn.Conv1d(inputs, outputs, 5, 2, 2)
        up = lambda inputs, outputs: nn.ConvTranspose1d(inputs, outputs, 5, 2, 2, 1)
        return nn.Sequential(down(1, 32), nn.ReLU(), down(32, 64), nn.ReLU(), up(64, 32), nn.ReLU(), up(32, 1))

    def data(self):
        return [torch.randn(self.batch, 1, 128) for _ in range(N_BATCHES)]


class Restore(Case):
    """Eight convolutions that keep a map's size, as a network for restoration does."""

    layouts = [torch.contiguous_format, torch.channels_last]
    side = 40

    def __init__(self, channels, loss, batch):
        super().__init__(loss, batch)
        self.channels = channels

    def name(self):
        return f"restore-{self.side}x{self.side}x{self.channels}/b{self.batch}/{self.loss}"

    def words(self):
        return ["restore", self.side, self.channels]

    def build(self):
        widths = [1, *[self.channels] * 7, 1]
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
        return nn.Sequential(*layers[:-1])

    def data(self):
        return [torch.rand(self.batch, 1, self.side, self.side) for _ in range(N_BATCHES)]


class RestoreInUse(Restore):
    """The forward pass alone, on a tile of an image."""

    trains = False
    side = 256

    def name(self):
        return f"{super().name()}/infer"


class Rival:
    """PyTorch, eager, with its fused Adam and its layout of maps if those are faster here."""

    def __init__(self, case, adam, layout=torch.contiguous_format, device="cpu"):
        self.network, self.next = case.build().to(device, memory_format=layout), 0
        self.batches = [batch.to(device) for batch in case.data()]
        self.loss = {"mse": nn.MSELoss(), "bce": nn.BCEWithLogitsLoss()}[case.loss]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE, **adam)

    def batch(self):
        self.next += 1
        return self.batches[(self.next - 1) % N_BATCHES]

    def forward(self, batch):
        return self.loss(self.network(batch), batch)

    def step(self):
        batch = self.batch()
        self.optimizer.zero_grad()
        loss = self.forward(batch)
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


class RivalInUse(Rival):
    def step(self):
        with torch.inference_mode():
            return self.network(self.batch())

    def losses(self, n):
        return [self.step().square().mean().item() for _ in range(n)]


def steps_a_turn(side):
    side.time(5)
    return max(2, int(SECONDS_A_TURN / (side.time(10) / 10)))


def begin(ours, case, where, weights, batches):
    """Has our side make the network of a case with these weights; `where` are its threads, or its device."""
    ours.trains = case.trains
    with tempfile.TemporaryDirectory() as folder:
        values = numpy.concatenate([value.detach().cpu().numpy().ravel() for value in weights])
        values.astype("<f4").tofile(Path(folder) / "params.f32")
        torch.stack(batches).cpu().numpy().astype("<f4").tofile(Path(folder) / "batches.f32")
        assert ours.ask("case", case.loss, case.batch, where, folder, *case.words()).strip() == "ok"


def check(wanted, got, tolerance):
    for step, (a, b) in enumerate(zip(wanted, got)):
        assert abs(a - b) <= tolerance * max(abs(a), abs(b)), f"step {step}: ours {a}, PyTorch {b}"


def compare(ours, name, case, threads):
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    kind, adams = (Rival, ("fused", "foreach")) if case.trains else (RivalInUse, ("fused",))
    rivals = {(adam, layout): kind(case, {adam: True}, layout) for adam in adams for layout in case.layouts}
    first = rivals["fused", torch.contiguous_format]
    for (_, layout), other in rivals.items():
        other.network.load_state_dict(first.network.state_dict())
        other.batches = [batch.contiguous(memory_format=layout) for batch in first.batches]
    begin(ours, case, threads, first.network.parameters(), first.batches)
    wanted = ours.losses(N_CHECKED)
    for rival in rivals.values():
        check(wanted, rival.losses(N_CHECKED), TOLERANCE)
    sides = {"ours": ours, **rivals}
    counts = {who: steps_a_turn(side) for who, side in sides.items()}
    times = {who: [] for who in sides}
    for _ in range(ROUNDS):
        for who, side in sides.items():
            times[who].append(side.time(counts[who]) / counts[who] * 1e3)
    medians = {who: statistics.median(values) for who, values in times.items()}
    mine, best = medians.pop("ours"), min(medians.values())
    print(f"RATIO {name} {mine:.4f} {best:.4f} {best / mine:.2f}", flush=True)


CASES = [
    (Dense([20, 64, 32, 32, 64, 20], "mse", 32), 1),
    (Dense([784, 128, 64, 32, 64, 128, 784], "bce", 256), 1),
    (Dense([784, 128, 64, 32, 64, 128, 784], "bce", 256), 2),
    (Sequence([1, 64], [64, 64, 1], 140, 64), 1),
    (Sequence([1, 64], [64, 64, 1], 140, 64), 2),
    (Sequence([1, 256, 128], [128, 128, 256, 1], 140, 32), 1),
    (Sequence([1, 256, 128], [128, 128, 256, 1], 140, 32), 2),
    (Images("bce", 128), 1),
    (Images("bce", 128), 2),
    (Series("mse", 64), 1),
    (Series("mse", 64), 2),
    (Restore(48, "mse", 16), 1),
    (Restore(48, "mse", 16), 2),
    (RestoreInUse(48, "mse", 1), 1),
    (RestoreInUse(48, "mse", 1), 2),
]

if __name__ == "__main__":
    binary, *words = sys.argv[1:]
    cases = {f"{case.name()}/t{threads}": (case, threads) for case, threads in CASES}
    chosen = [name for name in cases if not words or any(word in name for word in words)]
    if not chosen:
        sys.exit("\n".join([f"error: no case's name holds {' or '.join(words)}", "hint: the cases are", *cases]))
    ours = Ours(binary)
    print(f"PyTorch {torch.__version__}, {torch.backends.cpu.get_cpu_capability()}", flush=True)
    for name in chosen:
        compare(ours, name, *cases[name])
