"""Writes golden_similarity.json: structural similarity as PyTorch computes it, in double precision.

Run `python golden_similarity.py` with PyTorch 2.x. The formulas are those of `pytorch-msssim` 1.0 and of Wang
et al. (2004, 2003): its variances are differences of means, which cost single precision four digits.
`whole` pictures are made by a rule that the tests know too, so that only results are kept.
"""

import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
N, LEARNING_RATE = 4, 0.01
POWERS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]


def numbers(tensor):
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


def rows(maps):
    return maps.movedim(1, -1).flatten(1)


def compare(x, y):
    """(similarity, contrast and structure), [n, channels], of maps with values in [0, 1]."""
    places = torch.arange(11) - 5.0
    window = torch.exp(-(places**2) / (2 * 1.5**2))
    window = (window / window.sum())[None, None]
    channels = x.shape[1]

    def mean(z):
        down = F.conv2d(z, window[..., None].expand(channels, 1, 11, 1), groups=channels)
        return F.conv2d(down, window[:, :, None].expand(channels, 1, 1, 11), groups=channels)

    c1, c2 = 0.01**2, 0.03**2
    mx, my = mean(x), mean(y)
    vx, vy, vxy = mean(x * x) - mx**2, mean(y * y) - my**2, mean(x * y) - mx * my
    structure = (2 * vxy + c2) / (vx + vy + c2)
    similarity = (2 * mx * my + c1) / (mx**2 + my**2 + c1) * structure
    return similarity.mean((2, 3)), structure.mean((2, 3))


def ssim(x, y):
    return compare(x, y)[0].mean(1)


def ms_ssim(x, y):
    product = 1
    for i, power in enumerate(POWERS):
        similarity, structure = compare(x, y)
        product = product * torch.relu(structure if i < 4 else similarity) ** power
        padding = [size % 2 for size in x.shape[2:]]
        x, y = F.avg_pool2d(x, 2, padding=padding), F.avg_pool2d(y, 2, padding=padding)
    return product.mean(1)


def loss(kind, values, target):
    """The loss of every map; `kind` is (structure, pixels, share)."""
    structure, pixels, share = kind
    x = torch.sigmoid(values)
    each = {
        None: lambda: torch.zeros_like(x),
        "mse": lambda: (x - target) ** 2,
        "mae": lambda: (x - target).abs(),
        "bce": lambda: F.binary_cross_entropy_with_logits(values, target, reduction="none"),
    }[pixels]()
    return share * (1 - structure(x, target)) + (1 - share) * each.mean((1, 2, 3))


def run(kind):
    """As a case of golden_conv.py: maps of 13 by 12 pixels with 2 channels."""
    generator = torch.Generator().manual_seed(1)
    network = nn.ModuleDict(
        {
            "encoder": nn.Sequential(nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Tanh()),
            "decoder": nn.Sequential(nn.ConvTranspose2d(3, 2, 3, stride=2, padding=1, output_padding=(0, 1))),
        }
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.6, 0.6, generator=generator)
    walk = lambda x: network["decoder"](network["encoder"](x))
    data = torch.rand(N, 2, 13, 12, generator=generator).float().double()
    target = (0.7 * data + 0.3 * torch.rand(data.shape, generator=generator)).float().double()
    state = lambda: {name: numbers(value) for name, value in network.state_dict().items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(parameter.float().double())
    case = {"input": numbers(rows(data)), "target": numbers(rows(target)), "initial": state(), "losses": []}
    algorithm = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE)
    for step in range(10):
        value = loss(kind, walk(data), target).mean()
        algorithm.zero_grad()
        value.backward()
        case["losses"].append(float(f"{value.item():.9g}"))
        if step == 0:
            case["gradient"] = {name: numbers(p.grad) for name, p in network.named_parameters()}
        algorithm.step()
    case["final"] = state()
    code = network["encoder"](data)
    case["code"] = numbers(rows(code))
    case["output"] = numbers(rows(torch.sigmoid(network["decoder"](code))))
    return case


def whole(kind, height, width, channels):
    """Losses of two maps and some of their slopes."""
    wave = lambda at, period: (2 * (at % period) / period - 1).abs()
    grid = (torch.arange(size) for size in (2, channels, height, width))
    n, c, y, x = torch.meshgrid(*grid, indexing="ij")
    target = 0.5 * (wave(y + 3 * c + 11 * n, 37) + wave(x + 5 * c, 23))
    values = 5.4 * (target - 0.5) + (31 * y + 17 * x + 7 * c + 3 * n) % 11 / 11 - 0.5
    values = values.float().double().requires_grad_()
    each = loss(kind, values, target.float().double())
    each.sum().backward()
    slopes = rows(values.grad).flatten()
    return {"losses": numbers(each), "every_509th_slope": numbers(slopes[::509])}


CASES = {
    "ssim": run((ssim, None, 1.0)),
    "ssim_mse": run((ssim, "mse", 0.3)),
    "ssim_mae": run((ssim, "mae", 0.84)),
    "ssim_bce": run((ssim, "bce", 0.5)),
    "whole_ssim": whole((ssim, None, 1.0), 29, 40, 3),
    "whole_ms_ssim": whole((ms_ssim, None, 1.0), 177, 182, 2),
    "whole_ms_ssim_mae": whole((ms_ssim, "mae", 0.84), 176, 176, 1),
}

path = Path(__file__).with_name("golden_similarity.json")
path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in CASES.items()) + "\n}\n")
print(f"{path.name}: {len(CASES)} cases, PyTorch {torch.__version__}")
