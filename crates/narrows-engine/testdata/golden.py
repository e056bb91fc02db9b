"""Writes golden.json: what PyTorch computes for the small networks of the engine's tests.

Run `python golden.py` with PyTorch 2.x. Every case holds initial parameters, ten training losses, the
first gradient, the parameters after ten steps and the reconstruction in evaluation mode.
"""

import json
import math
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
N, WIDTH, LEARNING_RATE = 6, 5, 0.01


def numbers(tensor):
    """A flat list; NaN becomes null, because JSON has none."""
    flat = tensor.detach().to(torch.float64).flatten().tolist()
    return [None if math.isnan(x) else float(f"{x:.9g}") for x in flat]


def mean_loss(each):
    """A loss of which every column is observed or NaN; the mean divides by the full width."""

    def loss(output, target):
        seen = ~target.isnan()
        values = each(output, torch.where(seen, target, torch.zeros_like(target)))
        return torch.where(seen, values, torch.zeros_like(values)).mean(1)

    return loss


def grouped_cross_entropy(output, target):
    total = 0
    for columns, weight in [(slice(0, 2), 1.0), (slice(2, 5), 0.7)]:
        log_p = F.log_softmax(output[:, columns], 1)
        wanted = target[:, columns]
        seen = ~wanted.isnan().any(1, keepdim=True)
        total = total - weight * (torch.where(seen, wanted, torch.zeros_like(wanted)) * log_p).sum(1)
    return total


MSE = mean_loss(lambda o, t: F.mse_loss(o, t, reduction="none"))
BCE = mean_loss(lambda o, t: F.binary_cross_entropy_with_logits(o, t, reduction="none"))


def link(loss, output):
    if loss is BCE:
        return torch.sigmoid(output)
    if loss is grouped_cross_entropy:
        return torch.cat([output[:, :2].softmax(1), output[:, 2:].softmax(1)], 1)
    return output


def run(
    encoder, decoder, loss=MSE, optimizer=torch.optim.Adam, clip=None, penalty=None, width=WIDTH, gaps=(), **settings
):
    generator = torch.Generator().manual_seed(1)
    network = nn.ModuleDict({"encoder": nn.Sequential(*encoder), "decoder": nn.Sequential(*decoder)})
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.9, 0.9, generator=generator)
    data = torch.randn(N, width, generator=generator)
    target = torch.rand(N, width, generator=generator)
    target[2, 1] = float("nan")
    for row, first in gaps:
        data[row, first:] = target[row, first:] = float("nan")
    if loss is grouped_cross_entropy:
        target[:, :2] /= target[:, :2].sum(1, keepdim=True)
        target[:, 2:] = F.one_hot(torch.arange(N) % 3, 3).float()
    state = lambda: {
        name: numbers(value)
        for name, value in network.state_dict().items()
        if "num_batches" not in name
    }
    case = {"input": numbers(data), "target": numbers(target), "initial": state(), "losses": []}
    algorithm = optimizer(network.parameters(), lr=LEARNING_RATE, **settings)
    for step in range(10):
        code = network["encoder"](data)
        value = loss(network["decoder"](code), target).mean()
        if penalty:
            value = value + penalty(code)
        algorithm.zero_grad()
        value.backward()
        case["losses"].append(float(f"{value.item():.9g}"))
        if step == 0:
            case["gradient"] = {name: numbers(p.grad) for name, p in network.named_parameters()}
        if clip:
            nn.utils.clip_grad_norm_(network.parameters(), clip)
        algorithm.step()
    case["final"] = state()
    network.eval()
    code = network["encoder"](data)
    case["code"] = numbers(code)
    case["output"] = numbers(link(loss, network["decoder"](code)))
    return case


def kl_penalty(code, goal=0.1):
    mean = code.mean(0)
    divergence = goal * (goal / mean).log() + (1 - goal) * ((1 - goal) / (1 - mean)).log()
    return 0.2 * divergence.sum()


def gaussian():
    generator = torch.Generator().manual_seed(2)
    data = torch.randn(4, 6, generator=generator)
    data[0, 3], data[1, 4] = 11.0, -12.0  # beyond the clamp
    data.requires_grad_()
    noise, d_code = (torch.randn(4, 3, generator=generator) for _ in range(2))
    mean, log_var = data[:, :3], data[:, 3:].clamp(-10, 10)
    code = mean + (0.5 * log_var).exp() * noise
    kl = -0.5 * (1 + log_var - mean**2 - log_var.exp()).sum(1)
    ((code * d_code).sum() + 0.3 * kl.mean()).backward()
    return {
        "input": numbers(data),
        "noise": numbers(noise),
        "d_code": numbers(d_code),
        "code": numbers(code),
        "kl": numbers(kl),
        "d_input": numbers(data.grad),
    }


def schedules():
    def rates(make, total):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
        schedule = make(optimizer)
        out = []
        for step in range(total):
            out.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if step + 1 < total:  # OneCycleLR refuses a step beyond its last
                schedule.step()
        return out

    plateau_losses = [1.0, 0.9, 0.95, 0.9, 0.89999, 0.91, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9]
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.01)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2, min_lr=2e-3)
    plateau_rates = []
    for loss in plateau_losses:
        plateau.step(loss)
        plateau_rates.append(optimizer.param_groups[0]["lr"])
    total = 37
    return {
        "cosine": rates(lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, total), total),
        "one_cycle": rates(
            lambda o: torch.optim.lr_scheduler.OneCycleLR(
                o, max_lr=0.01, total_steps=total, cycle_momentum=False
            ),
            total,
        ),
        "plateau_losses": plateau_losses,
        "plateau": plateau_rates,
    }


def dense(*widths):
    return nn.Linear(*widths)


def activation(make):
    return run([dense(5, 4), make(), dense(4, 3)], [make(), make(), dense(3, 5)])


def loss_case(loss):
    return run([dense(5, 3), nn.Tanh()], [dense(3, 5)], loss)


def optimizer_case(optimizer=torch.optim.Adam, **settings):
    return run([dense(5, 4), nn.Tanh(), dense(4, 3)], [dense(3, 5)], optimizer=optimizer, **settings)


def norm_case(norm):
    # No dense layer directly before a norm: a batch norm takes its bias out again, and Adam would turn
    # the rounding noise of that zero gradient into steps.
    encoder = [dense(5, 4), nn.Tanh(), norm(4), nn.Tanh(), dense(4, 3), nn.Tanh()]
    return run(encoder, [norm(3), dense(3, 5)])


def sparse_case(penalty):
    return run([dense(5, 4), nn.Sigmoid()], [dense(4, 5)], penalty=penalty)


STEPS, CHANNELS = 4, 2


class Lstm(nn.LSTM):
    """A recurrent layer over rows `[n, steps * width]`; steps that are all NaN, at the end, are padding."""

    def __init__(self, inputs, hidden, output, bidirectional=False):
        super().__init__(inputs, hidden, batch_first=True, bidirectional=bidirectional)
        self.output = output

    def forward(self, rows):
        x = rows.view(len(rows), STEPS, -1)
        absent = x.isnan().all(2)
        x = torch.where(absent[:, :, None], torch.zeros_like(x), x)
        lengths = STEPS - absent.sum(1)
        packed = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        every, (last, _) = super().forward(packed)
        if self.output == "last":
            return torch.cat(list(last), 1)
        every, _ = nn.utils.rnn.pad_packed_sequence(
            every, batch_first=True, padding_value=float("nan"), total_length=STEPS
        )
        return every.reshape(len(rows), -1)


class Repeat(nn.Module):
    def forward(self, rows):
        return rows.repeat(1, STEPS)


class TimeDense(nn.Linear):
    def forward(self, rows):
        x = rows.view(len(rows), STEPS, -1)
        absent = x.isnan().all(2, keepdim=True)
        # Zero times NaN is NaN, so the gradient of the weight must not meet the absent steps.
        y = super().forward(torch.where(absent, torch.zeros_like(x), x))
        return torch.where(absent, torch.full_like(y, float("nan")), y).reshape(len(rows), -1)


def lstm_case(**settings):
    decoder = [Repeat(), Lstm(4, 3, "all"), nn.Tanh(), TimeDense(3, CHANNELS)]
    return run([Lstm(CHANNELS, 4, "last")], decoder, width=STEPS * CHANNELS, **settings)


def stack_case(**settings):
    encoder = [Lstm(CHANNELS, 3, "all", True), TimeDense(6, 5), nn.Tanh(), Lstm(5, 2, "last", True)]
    decoder = [Repeat(), Lstm(4, 3, "all", True), TimeDense(6, CHANNELS)]
    return run(encoder, decoder, width=STEPS * CHANNELS, **settings)


GAPS = [(1, 6), (3, 2), (4, 4)]  # (row, first missing column)

CASES = {
    "dense": run([dense(5, 3)], [dense(3, 7), dense(7, 5)]),
    "identity": activation(nn.Identity),
    "relu": activation(nn.ReLU),
    "leaky_relu": activation(nn.LeakyReLU),
    "elu": activation(nn.ELU),
    "gelu": activation(nn.GELU),
    "silu": activation(nn.SiLU),
    "tanh": activation(nn.Tanh),
    "sigmoid": activation(nn.Sigmoid),
    "batch_norm": norm_case(nn.BatchNorm1d),
    "layer_norm": norm_case(nn.LayerNorm),
    "mse": loss_case(MSE),
    "mae": loss_case(mean_loss(lambda o, t: F.l1_loss(o, t, reduction="none"))),
    "huber": loss_case(mean_loss(lambda o, t: F.huber_loss(o, t, reduction="none", delta=0.4))),
    "bce": loss_case(BCE),
    "cross_entropy": loss_case(grouped_cross_entropy),
    "sparse_l1": sparse_case(lambda code: 0.05 * code.abs().sum(1).mean()),
    "sparse_kl": sparse_case(kl_penalty),
    "adam_decay": optimizer_case(weight_decay=0.1),
    "adamw_decay": optimizer_case(torch.optim.AdamW, weight_decay=0.1),
    "clipped": optimizer_case(clip=0.1),
    "lstm": lstm_case(),
    "lstm_masked": lstm_case(gaps=GAPS),
    "lstm_stack": stack_case(),
    "lstm_stack_masked": stack_case(gaps=GAPS),
    "gaussian": gaussian(),
    "schedules": schedules(),
}

path = Path(__file__).with_name("golden.json")
path.write_text("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in CASES.items()) + "\n}\n")
print(f"{path.name}: {len(CASES)} cases, PyTorch {torch.__version__}")
