"""How fast the device is, and whether the number of operations tells the time of a network (Canziani et al. 2016)."""

import statistics
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from .. import cost
from ..twin import nets
from .units import Run, Unit


def seconds(step, count, device):
    """Seconds a step of `count` steps takes, once the device has done them all."""
    wait = torch.cuda.synchronize if torch.device(device).type == "cuda" else lambda: None
    wait()
    start = time.perf_counter()
    for _ in range(count):
        step()
    wait()
    return (time.perf_counter() - start) / count


def trainer(net, x, labels):
    """A function that takes one step of training on the batch."""
    net = net.to(x.device, memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step():
        with torch.autocast(x.device.type, torch.bfloat16):
            loss = F.cross_entropy(net(x), labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    return step


def flops(net, size):
    """Operations of one image, forward and backward, a multiplication and an addition counted as two."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter:  # shapes without numbers
        net()(torch.empty(2, 3, size, size)).sum().backward()
    return counter.get_total_flops() / 2


def matrix_rate(n, device, rounds):
    """Operations a second in products of n × n matrices of bf16."""
    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds(lambda: a @ b, 3, device)
    return 2 * n**3 / statistics.median(seconds(lambda: a @ b, 10, device) for _ in range(rounds))


def training(at, net, size, batch, steps, rounds, matrix):
    """Images a second in training, and the share of the device's own rate for bf16 products of matrices."""
    x = torch.randn(batch, 3, size, size, device=at.device).to(memory_format=torch.channels_last)
    build = getattr(nets, net)
    step = trainer(build(), x, torch.randint(10, (batch,), device=at.device))
    seconds(step, 3, at.device)  # the library looks for its algorithms
    rate = batch / statistics.median(seconds(step, steps, at.device) for _ in range(rounds))
    limit = matrix_rate(matrix, at.device, rounds)
    return {"images": rate, "limit": limit, "share": 100 * rate * flops(build, size) / limit}


def random_net(rng):
    """A network of 3×3 convolutions whose depth and widths are drawn; the picture is halved two or three times."""
    layers, ins = [], 3
    for stage in range(rng.integers(3, 5)):
        for n in range(rng.integers(1, 4)):
            outs = int(rng.integers(2, 17)) * 16
            layers += [nn.Conv2d(ins, outs, 3, 2 if stage and not n else 1, 1), nn.ReLU()]
            ins = outs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(ins, 10))


def operations(at, networks, size, batches, seed, rounds, on_cpu=False):
    """Multiply-adds of random networks, and the milliseconds that a batch takes each of them, float32 in evaluation mode."""
    rng, device = np.random.default_rng(seed), torch.device("cpu") if on_cpu else at.device
    several = [random_net(rng).eval().to(device) for _ in range(networks)]
    work = [cost.total(net, (3, size, size)).multiply_adds for net in several]
    found = {}
    with torch.no_grad():
        for batch in batches:
            x = torch.randn(batch, 3, size, size, device=device)
            times = []
            for net in several:
                seconds(lambda: net(x), 3, device)
                times.append(1000 * statistics.median(seconds(lambda: net(x), 5, device) for _ in range(rounds)))
            found[str(batch)] = times
    return {"multiply-adds": work, "milliseconds": found, "cores": torch.get_num_threads() if on_cpu else 0}


def units(small):
    of = dict(size=8, batch=2, steps=1, rounds=1, matrix=64) if small else dict(size=224, batch=256, steps=10, rounds=5, matrix=8192)
    many = dict(networks=3, size=16, seed=0, rounds=1) if small else dict(networks=14, size=64, seed=0, rounds=5)
    batches = [1, 4] if small else [1, 16, 64]
    trained = ["resnet20"] if small else ["alexnet", "vgg19", "resnet50"]
    return [*(Unit(training, dict(net=net, **of)) for net in trained), Unit(operations, dict(batches=batches, **many)),
            Unit(operations, dict(batches=batches[-1:], on_cpu=True, **many | dict(rounds=1)))]


def summary(done):
    values, rates = {}, {}
    for setting, numbers in done:
        if "net" in setting:
            name = f"training {setting['net']}, batches of {setting['batch']}"
            values |= {f"{name}: images a second": numbers["images"], f"{name}: percent of the matrix rate": numbers["share"],
                       "bf16 matrix products, TFLOP a second": numbers["limit"] / 1e12}
            continue
        where = f"CPU of {numbers['cores']} cores" if setting.get("on_cpu") else "device"
        for batch, times in numbers["milliseconds"].items():
            work = int(batch) * np.array(numbers["multiply-adds"], float)
            fit = np.corrcoef(work, times)[0, 1] ** 2
            rates[where[:3], batch] = statistics.median(work / np.array(times) * 1e3)
            values |= {f"R² of time against multiply-adds, {where}, batches of {batch}": float(fit),
                       f"multiply-adds a second in 10⁹, {where}, batches of {batch}": rates[where[:3], batch] / 1e9}
    last = max((batch for where, batch in rates if where == "CPU"), key=int)
    return values, {"operations-predict-time": values[f"R² of time against multiply-adds, device, batches of {last}"],
                    "gpus-are-fast": rates["dev", last] / rates["CPU", last]}


RUNS = {"throughput": Run(units, summary)}
