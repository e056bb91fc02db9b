"""Times a training step of ours beside PyTorch's on one graphics processor: eager, and compiled by `torch.compile`.

Both sides start from the same weights, see the same batches, and must report the same losses before anything is timed, as in
train_step.py, whose networks these are. PyTorch's batches lie on the device already, as ours do not: bringing them there is
part of our step. TF32 is off first, so that both compute in single precision, and then on, which only PyTorch uses.

    STEPS case ours_a_second eager compiled eager_tf32 compiled_tf32

Run it through gpu.sh. Without CUDA it checks the losses and times our side alone.
"""

import sys

import torch
import train_step

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


class Cuda(train_step.Rival):
    """PyTorch on the device, with its fused Adam; the graph is replayed where it is compiled."""

    def __init__(self, case, weights, batches, compiled):
        super().__init__(case, {"fused": True}, device=DEVICE)
        self.network.load_state_dict(weights)
        self.batches = [batch.to(DEVICE) for batch in batches]
        if compiled:
            self.forward = torch.compile(self.forward, mode="max-autotune-no-cudagraphs")

    def step(self):
        # Ours reads the loss of every step, too.
        return super().step().cpu()


def steps_a_second(side):
    """The best of three turns, after as many as it takes to warm up."""
    seconds = max(side.time(3) / 3, 1e-6)
    n = max(3, int(SECONDS / 3 / seconds))
    return n / min(side.time(n) for _ in range(3))


def compare(ours, case, compiles):
    torch.manual_seed(0)
    weights, batches = case.build().state_dict(), case.data()
    train_step.begin(ours, case, "gpu", weights.values(), batches)
    train_step.check(ours.losses(N_CHECKED), Cuda(case, weights, batches, False).losses(N_CHECKED), TOLERANCE)
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
