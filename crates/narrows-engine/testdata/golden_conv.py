"""Writes golden_conv.json: what PyTorch computes for the maps and series of the engine's tests.

Run `python golden_conv.py` with PyTorch 2.x. The cases are those of golden.py in form; rows hold
`[height, width, channels]`, so data are permuted on their way in and out. A series is run by PyTorch's
one-dimensional layers.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
N, LEARNING_RATE = 4, 0.01


def numbers(tensor):
    """A flat list; NaN becomes null, because JSON has none."""
    flat = tensor.detach().to(torch.float64).flatten().tolist()
    return [None if math.isnan(x) else float(f"{x:.9g}") for x in flat]


class Padded(nn.Conv2d):
    """A convolution with a padding of its own at each side: left, right, top, bottom."""

    def __init__(self, *shape, sides, mode="constant", **settings):
        super().__init__(*shape, **settings)
        self.sides, self.mode = sides, mode

    def forward(self, x):
        return super().forward(F.pad(x, self.sides, self.mode))


class MaxPadded(nn.Module):
    """A pool with a padding of its own at each side: left, right, top, bottom."""

    def __init__(self, size, stride, sides):
        super().__init__()
        self.size, self.stride, self.sides = size, stride, sides

    def forward(self, x):
        return F.max_pool2d(F.pad(x, self.sides, value=-math.inf), self.size, self.stride)


class MeanPadded(MaxPadded):
    def forward(self, x):
        return F.avg_pool2d(F.pad(x, self.sides), self.size, self.stride)


class Add(nn.Module):
    """Adds what came out of the layer `back` places before."""

    def __init__(self, back):
        super().__init__()
        self.back = back


def walk(layers, x):
    values = []
    for i, layer in enumerate(layers):
        x = x + values[i - layer.back] if isinstance(layer, Add) else layer(x)
        values.append(x)
    return x


def rows(maps):
    return maps.movedim(1, -1).flatten(1)


def run(shape, encoder, decoder):
    """`shape` is (channels, height, width) or (channels, steps)."""
    generator = torch.Generator().manual_seed(1)
    network = nn.ModuleDict({"encoder": nn.Sequential(*encoder), "decoder": nn.Sequential(*decoder)})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.6, 0.6, generator=generator)
    data = torch.randn(N, *shape, generator=generator)
    code = walk(network["encoder"], data)
    n_outputs = rows(walk(network["decoder"], code)).shape[1]
    for buffer in network.buffers():
        # The trial run above moved the running statistics.
        buffer.fill_(1) if buffer.dim() == 0 else None
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_running_stats()
    target = torch.rand(N, n_outputs, generator=generator)
    target[2, 1] = float("nan")
    seen = ~target.isnan()
    wanted = torch.where(seen, target, torch.zeros_like(target))
    state = lambda: {
        name: numbers(value)
        for name, value in network.state_dict().items()
        if "num_batches" not in name
    }
    case = {"input": numbers(rows(data)), "target": numbers(target), "initial": state(), "losses": []}
    algorithm = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for step in range(10):
        output = rows(walk(network["decoder"], walk(network["encoder"], data)))
        value = torch.where(seen, (output - wanted) ** 2, torch.zeros_like(output)).mean()
        algorithm.zero_grad()
        value.backward()
        case["losses"].append(float(f"{value.item():.9g}"))
        if step == 0:
            case["gradient"] = {name: numbers(p.grad) for name, p in network.named_parameters()}
        algorithm.step()
    case["final"] = state()
    network.eval()
    code = walk(network["encoder"], data)
    case["code"] = numbers(rows(code))
    case["output"] = numbers(rows(walk(network["decoder"], code)))
    return case


def pooled(first, last):
    return run((2, 5, 7), [nn.Conv2d(2, 13, 3, padding=1), first], [last, nn.Conv2d(13, 2, 1)])


def upsampled(layer):
    return run((2, 2, 3), [nn.Conv2d(2, 5, 1)], [layer, nn.Conv2d(5, 2, 2)])


CASES = {
    "conv": run(
        (2, 7, 6),
        [
            Padded(2, 3, (3, 2), sides=(0, 1, 2, 1)),
            nn.Tanh(),
            nn.Conv2d(3, 17, 3, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        ],
        [nn.Tanh(), nn.Conv2d(17, 4, 1)],
    ),
    "conv_reflect": run(
        (2, 5, 4),
        [Padded(2, 3, 3, sides=(2, 1, 1, 3), mode="reflect"), nn.Tanh()],
        [Padded(3, 2, (3, 1), sides=(1, 1, 0, 2), mode="reflect", stride=(2, 1))],
    ),
    "conv_replicate": run(
        (2, 5, 4),
        [Padded(2, 3, 3, sides=(2, 1, 1, 6), mode="replicate"), nn.Tanh()],
        [Padded(3, 2, (3, 1), sides=(1, 1, 0, 2), mode="replicate", stride=(2, 1))],
    ),
    "conv_transpose": run(
        (2, 5, 4),
        [nn.Conv2d(2, 18, 3, stride=2, padding=1), nn.Tanh()],
        [
            nn.ConvTranspose2d(18, 3, (3, 4), stride=2, padding=(1, 0), output_padding=(0, 1)),
            nn.Tanh(),
            nn.ConvTranspose2d(3, 2, 2, stride=(1, 3), dilation=(2, 2)),
        ],
    ),
    "max_pool": pooled(MaxPadded((2, 3), (1, 2), (1, 2, 1, 0)), nn.MaxPool2d(2)),
    "average_pool": pooled(MeanPadded((2, 3), (1, 2), (1, 2, 1, 0)), nn.AvgPool2d(2)),
    "upsample_nearest": upsampled(nn.Upsample(scale_factor=(3, 2))),
    "upsample_bilinear": upsampled(nn.Upsample(scale_factor=(3, 2), mode="bilinear")),
    "map_norm": run(
        (2, 3, 4),
        [nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.BatchNorm2d(4), nn.Tanh()],
        [nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, padding=1)],
    ),
    "series_norm": run(
        (2, 7),
        [nn.Conv1d(2, 4, 3, padding=1), nn.Tanh(), nn.BatchNorm1d(4), nn.Tanh()],
        [nn.BatchNorm1d(4), nn.Conv1d(4, 2, 3, padding=1)],
    ),
    "group_norm": run(
        (2, 3, 4),
        [nn.Conv2d(2, 6, 3, padding=1), nn.Tanh(), nn.GroupNorm(3, 6), nn.Tanh()],
        [nn.GroupNorm(1, 6), nn.Conv2d(6, 2, 3, padding=1)],
    ),
    "pixel_shuffle": run((2, 2, 3), [nn.Conv2d(2, 12, 1)], [nn.PixelShuffle(2), nn.Conv2d(3, 2, 2)]),
    "residual": run(
        (2, 3, 4),
        [
            nn.Conv2d(2, 3, 1),
            nn.ReLU(),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(3, 3, 3, padding=1),
            Add(4),
            nn.Tanh(),
            Add(7),
        ],
        [nn.Conv2d(3, 3, 1), nn.Conv2d(3, 3, 1), Add(2), Add(2), nn.Conv2d(3, 2, 1)],
    ),
    "conv_series": run(
        (3, 12),
        [nn.Conv1d(3, 5, 5, stride=2, padding=2), nn.Tanh(), nn.Conv1d(5, 18, 3, dilation=2)],
        [
            nn.ConvTranspose1d(18, 5, 3, dilation=2),
            nn.Tanh(),
            nn.ConvTranspose1d(5, 3, 5, stride=2, padding=2, output_padding=1),
        ],
    ),
}

path = Path(__file__).with_name("golden_conv.json")
path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in CASES.items()) + "\n}\n")
print(f"{path.name}: {len(CASES)} cases, PyTorch {torch.__version__}")
