"""How fast do `alexnet` and `resnet50` train on a GPU?

    python tests/bench/gpu.py [--batch 256] [--size 224] [--steps 10] [--rounds 5]

In channels-last order and bf16 autocast, by SGD with momentum, on a batch that is on the card already. Three take
turns, and each rate is the median over the rounds: plain eager modules of the same architecture, `twin.nets` as they
are, and `twin.nets` under torch.compile. The limit is the card's own rate for large products of bf16 matrices,
measured here. Without a GPU nothing is measured, unless --device cpu asks for it.
"""

import argparse
import statistics

import torch
from torch import nn

from dtwin import twin
from dtwin.full.throughput import flops, matrix_rate, seconds, trainer


def plain_alexnet():
    def conv(*options, **more):
        return nn.Conv2d(*options, **more), nn.ReLU(inplace=True)

    norm, pool = nn.LocalResponseNorm(5, 5e-4, 0.75, 2.0), nn.MaxPool2d(3, 2)
    return nn.Sequential(
        *conv(3, 96, 11, stride=4, padding=2), norm, pool, *conv(96, 256, 5, padding=2, groups=2), norm, pool,
        *conv(256, 384, 3, padding=1), *conv(384, 384, 3, padding=1, groups=2), *conv(384, 256, 3, padding=1, groups=2),
        pool, nn.Flatten(), nn.Linear(9216, 4096), nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 4096),
        nn.ReLU(inplace=True), nn.Dropout(), nn.Linear(4096, 1000))


class PlainBottleneck(nn.Module):
    """1×1, 3×3, 1×1, added to the identity or to a projection of it."""

    def __init__(self, ins, width, stride):
        super().__init__()

        def unit(a, b, kernel, stride=1):
            return nn.Conv2d(a, b, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(b)

        outs, relu = 4 * width, nn.ReLU(inplace=True)
        self.units = nn.Sequential(
            *unit(ins, width, 1), relu, *unit(width, width, 3, stride), relu, *unit(width, outs, 1))
        same = (ins, stride) == (outs, 1)
        self.shortcut = nn.Identity() if same else nn.Sequential(*unit(ins, outs, 1, stride))

    def forward(self, x):
        return torch.relu_(self.units(x) + self.shortcut(x))


def plain_resnet50():
    blocks, ins = [], 64
    for stage, depth in enumerate((3, 4, 6, 3)):
        for i in range(depth):
            blocks.append(PlainBottleneck(ins, 64 << stage, 2 if stage and not i else 1))
            ins = 256 << stage
    return nn.Sequential(
        nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1),
        *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(ins, 1000))


NETS = {"alexnet": (twin.nets.alexnet, plain_alexnet), "resnet50": (twin.nets.resnet50, plain_resnet50)}
WAYS = {"plain": lambda ours, plain: plain(), "ours": lambda ours, plain: ours(),
        "ours compiled": lambda ours, plain: torch.compile(ours())}


def measure(name, ways, options):
    """Images a second by way."""
    x = torch.randn(options.batch, 3, options.size, options.size, device=options.device)
    x, labels = x.to(memory_format=torch.channels_last), torch.randint(1000, (options.batch,), device=options.device)
    steps = {way: trainer(WAYS[way](*NETS[name]), x, labels) for way in ways}
    for step in steps.values():
        seconds(step, 3, options.device)  # cuDNN looks for its algorithms, the compiler compiles
    times = [{way: seconds(step, options.steps, options.device) for way, step in steps.items()}
             for _ in range(options.rounds)]
    return {way: options.batch / statistics.median(t[way] for t in times) for way in ways}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda" if torch.cuda.is_available() else None)
    parser.add_argument("--nets", nargs="+", choices=NETS, default=list(NETS))
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    for name, value in {"batch": 256, "size": 224, "steps": 10, "rounds": 5, "matrix": 8192}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args(arguments)
    if options.device is None:
        print("no GPU here: nothing is measured (--device cpu measures the CPU)")
        return
    torch.backends.cudnn.benchmark = True
    limit = matrix_rate(options.matrix, options.device, options.rounds)
    where = torch.cuda.get_device_name() if options.device == "cuda" else "CPU"
    print(f"{where}, torch {torch.__version__}: {limit / 1e12:.1f} TFLOP/s in bf16 products of {options.matrix} × "
          f"{options.matrix}; training with batches of {options.batch} of {options.size} × {options.size}")
    print(f"{'network':10} {'way':14} {'images/s':>9} {'TFLOP/s':>8} {'of limit':>8} {'of plain':>8}")
    for name in options.nets:
        work, rates = flops(NETS[name][0], options.size), measure(name, options.ways, options)
        for way, rate in rates.items():
            print(f"{name:10} {way:14} {rate:9.1f} {rate * work / 1e12:8.2f} {rate * work / limit:8.1%} "
                  + (f"{rate / rates['plain']:8.2f}" if "plain" in rates else ""), flush=True)


if __name__ == "__main__":
    main()
