"""Times a training step of ours beside PyTorch's on one graphics processor: eager, and compiled by `torch.compile`.

Both sides start from the same weights, see the same batches, and must report the same losses before anything is timed, as in
train_step.py, whose networks these are. PyTorch's batches lie on the device already, as ours do not: bringing them there is
part of our step. TF32 is off first, so that both compute in single precision, and then on, which only PyTorch uses.

    STEPS case ours_a_second eager compiled eager_tf32 compiled_tf32

Run it through gpu.sh. Without CUDA it checks the losses and times our side alone.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy
import torch
import train_step
from torch import nn

SECONDS = 4.0
N_CHECKED = 5
TOLERANCE = 1e-3
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

CASES = [
    train_step.Restore(48, "mse", 128),
    train_step.Images("bce", 128),
    train_step.Sequence([1, 64], [64, 64, 1], 140, 64),
    train_step.Sequence([1, 256, 128], [128, 128, 256, 1], 140, 128),
    train_step.Dense([784, 1024, 512, 32, 512, 1024, 784], "bce", 1024),
]


class Cuda:
    """PyTorch with its fused Adam; the graph is replayed where it is compiled."""

    def __init__(self, case, weights, batches, compiled):
        self.network = case.build().to(DEVICE)
        self.network.load_state_dict(weights)
        self.batches, self.next = [batch.to(DEVICE) for batch in batches], 0
        self.loss = {"mse": nn.MSELoss(), "bce": nn.BCEWithLogitsLoss()}[case.loss]
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=train_step.LEARNING_RATE, fused=True)
        self.run = torch.compile(self.forward, mode="max-autotune-no-cudagraphs") if compiled else self.forward

    def forward(self, batch):
        return self.loss(self.network(batch), batch)

    def step(self):
        batch = self.batches[self.next % len(self.batches)]
        self.next += 1
        self.optimizer.zero_grad()
        loss = self.run(batch)
        loss.backward()
        self.optimizer.step()
        return loss

    def losses(self, n):
        return [self.step().item() for _ in range(n)]

    def time(self, n):
        start = time.perf_counter()
        for _ in range(n):
            # Ours reads the loss of every step, too.
            self.step().item()
        return time.perf_counter() - start


def steps_a_second(side):
    """The best of three turns, after as many as it takes to warm up."""
    seconds = max(side.time(3) / 3, 1e-6)
    n = max(3, int(SECONDS / 3 / seconds))
    return n / min(side.time(n) for _ in range(3))


def compare(ours, case, compiles):
    torch.manual_seed(0)
    ours.trains = True
    weights, batches = case.build().state_dict(), case.data()
    with tempfile.TemporaryDirectory() as folder:
        values = [value.numpy().ravel() for value in weights.values()]
        numpy.concatenate(values).astype("<f4").tofile(Path(folder) / "params.f32")
        torch.stack(batches).numpy().astype("<f4").tofile(Path(folder) / "batches.f32")
        assert ours.ask("case", case.loss, case.batch, "gpu", folder, *case.words()).strip() == "ok"
    wanted = ours.losses(N_CHECKED)
    got = Cuda(case, weights, batches, False).losses(N_CHECKED)
    for step, (a, b) in enumerate(zip(wanted, got)):
        assert abs(a - b) <= TOLERANCE * max(abs(a), abs(b)), f"{case.name()}, step {step}: ours {a}, PyTorch {b}"
    figures = [f"{steps_a_second(ours):.1f}"]
    for tf32 in (False, True) if DEVICE.type == "cuda" else ():
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32
        for compiled in (False, True) if compiles else (False,):
            figures.append(f"{steps_a_second(Cuda(case, weights, batches, compiled)):.1f}")
    print(f"STEPS {case.name()} {' '.join(figures)}", flush=True)


if __name__ == "__main__":
    binary, *words = sys.argv[1:]
    # For all sides alike: no convolution is tried out in other precision.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    compiles = DEVICE.type == "cuda" and "eager" not in words
    names = [word for word in words if word != "eager"]
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name() if DEVICE.type == 'cuda' else 'no CUDA'}", flush=True)
    ours = train_step.Ours(binary)
    for case in CASES:
        if not names or any(name in case.name() for name in names):
            # A recurrent network is unrolled by the compiler, which takes minutes.
            compare(ours, case, compiles and not isinstance(case, train_step.Sequence))
