"""How fast is `ref.conv2d`? Ratios measured in one run, on the convolutions of AlexNet and ResNet-18.

    python tests/bench/conv.py [--batch 8 32] [--threads 1 2] [--rounds 7]

Beside it run (a) the bare matrix products of the same size, all images in one, the limit; (b) PyTorch's
convolution; (c) im2col as teaching code writes it, with index arrays, and beside it, as "at best", how many times
faster than that the bare product is: no convolution that makes the product can be faster. All take turns, and each
ratio is the median over the rounds of the ratio within a round, so that a busy machine disturbs both sides.
One thread is timed in seconds of the processor, which others cannot take; several by the clock.
"""

import argparse
import os
import time
import tracemalloc

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from dtwin import ref

LAYERS = {  # input channels, size of the image, output channels, kernel, stride, padding, groups
    "alexnet conv1": (3, 224, 96, 11, 4, 2, 1),
    "alexnet conv2": (96, 27, 256, 5, 1, 2, 2),
    "alexnet conv3": (256, 13, 384, 3, 1, 1, 1),
    "alexnet conv4": (384, 13, 384, 3, 1, 1, 2),
    "alexnet conv5": (384, 13, 256, 3, 1, 1, 2),
    "resnet18 conv1": (3, 224, 64, 7, 2, 3, 1),
    "resnet18 conv2": (64, 56, 64, 3, 1, 1, 1),
    "resnet18 conv3/2": (64, 56, 128, 3, 2, 1, 1),
    "resnet18 short3": (64, 56, 128, 1, 2, 0, 1),
    "resnet18 conv3": (128, 28, 128, 3, 1, 1, 1),
    "resnet18 conv4/2": (128, 28, 256, 3, 2, 1, 1),
    "resnet18 short4": (128, 28, 256, 1, 2, 0, 1),
    "resnet18 conv4": (256, 14, 256, 3, 1, 1, 1),
    "resnet18 conv5/2": (256, 14, 512, 3, 2, 1, 1),
    "resnet18 short5": (256, 14, 512, 1, 2, 0, 1),
    "resnet18 conv5": (512, 7, 512, 3, 1, 1, 1),
}
COLUMNS = ["fwd/bare", "bwd/bare", "both/bare", "fwd/torch", "bwd/torch", "naive/fwd", "at best",
           "naive/bwd", "at best"]


def naive_index(x, weight, stride, padding):
    """Channel, row and column in the padded image of each number in the matrix of columns."""
    (_, c, h, w), (_, _, kh, kw) = x.shape, weight.shape
    oh, ow = (h + 2 * padding - kh) // stride + 1, (w + 2 * padding - kw) // stride + 1
    channel, i, j = (a.reshape(-1, 1) for a in np.indices((c, kh, kw)))
    r, s = (a.reshape(1, -1) for a in np.indices((oh, ow)))
    return channel + 0 * r, i + stride * r, j + stride * s


def naive(x, weight, stride, padding, groups):
    """All columns at once, picked with index arrays; returns (y, cols)."""
    padded = np.pad(x, ((0, 0), (0, 0), (padding,) * 2, (padding,) * 2))
    cols = padded[:, *naive_index(x, weight, stride, padding)].transpose(1, 2, 0)  # (K, pixels, N)
    w = weight.reshape(groups, len(weight) // groups, -1)
    y = w @ cols.reshape(groups, w.shape[2], -1)
    return y.reshape(len(weight), -1, len(x)).transpose(2, 0, 1), cols


def naive_backward(dy, x, weight, stride, padding, groups):
    _, cols = naive(x, weight, stride, padding, groups)
    w = weight.reshape(groups, len(weight) // groups, -1)
    d = dy.reshape(len(x), len(weight), -1).transpose(1, 2, 0).reshape(groups, w.shape[1], -1)
    dw = d @ cols.reshape(groups, w.shape[2], -1).swapaxes(1, 2)
    dcols = (w.swapaxes(1, 2) @ d).reshape(cols.shape).transpose(2, 0, 1)
    dx = np.zeros((*x.shape[:2], *(size + 2 * padding for size in x.shape[2:])), x.dtype)
    np.add.at(dx, (slice(None), *naive_index(x, weight, stride, padding)), dcols)
    return dx, dw.reshape(weight.shape)


def contestants(layer, batch):
    """What runs, by name: functions without arguments, all on the same arrays."""
    c, size, out, k, stride, padding, groups = layer
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, c, size, size), np.float32)
    weight = rng.standard_normal((out, c // groups, k, k), np.float32)
    options = (None, stride, padding, groups)
    dy = rng.standard_normal(ref.conv2d(x, weight, *options).shape, np.float32)

    pixels = dy[:, 0].size
    w = weight.reshape(groups, out // groups, -1)
    cols = rng.standard_normal((groups, w.shape[2], pixels), np.float32)
    d = rng.standard_normal((groups, w.shape[1], pixels), np.float32)
    tx, tw, tdy = torch.tensor(x, requires_grad=True), torch.tensor(weight, requires_grad=True), torch.tensor(dy)
    ty = torch.conv2d(tx, tw, None, stride, padding, 1, groups)

    def torch_forward():
        with torch.no_grad():
            return torch.conv2d(tx, tw, None, stride, padding, 1, groups)

    return 2 * w.size * pixels, {
        "bare": lambda: w @ cols,
        "bare backward": lambda: (d @ cols.swapaxes(1, 2), w.swapaxes(1, 2) @ d),
        "ref": lambda: ref.conv2d(x, weight, *options),
        "ref backward": lambda: ref.conv2d_backward(dy, x, weight, *options),
        "torch": torch_forward,
        "torch backward": lambda: torch.autograd.grad(ty, (tx, tw), tdy, retain_graph=True),
        "naive": lambda: naive(x, weight, stride, padding, groups),
        "naive backward": lambda: naive_backward(dy, x, weight, stride, padding, groups),
    }


def seconds(f, clock):
    start = clock()
    f()
    return clock() - start


def measure(functions, rounds, clock):
    """Median ratio of each column, and the noise: how far the bare product itself wanders."""
    times = {name: [] for name in functions}
    for r in range(rounds):
        for name, f in functions.items():
            if r < 2 or not name.startswith("naive"):  # slow, and needed only roughly
                times[name].append(seconds(f, clock))
    t = {name: np.array(values) for name, values in times.items()}
    bare, fwd, bwd = t["bare"], t["ref"], t["ref backward"]
    ratios = [fwd / bare, bwd / t["bare backward"], (fwd + bwd) / (bare + t["bare backward"]),
              fwd / t["torch"], bwd / t["torch backward"],
              t["naive"] / fwd[:2], t["naive"] / bare[:2],
              t["naive backward"] / bwd[:2], t["naive backward"] / t["bare backward"][:2]]
    low, middle, high = np.percentile(bare, [25, 50, 75])
    return [float(np.median(r)) for r in ratios], middle, (high - low) / middle


def extra_memory(f):
    """Peak memory in MB above what was there, without what the function returns."""
    tracemalloc.start()
    result = f()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    results = result if isinstance(result, tuple) else (result,)
    return (peak - sum(r.nbytes for r in results if r is not None)) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, nargs="+", default=[8, 32])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    for threads in options.threads:
        torch.set_num_threads(threads)
        clock = time.process_time if threads == 1 else time.perf_counter
        for batch in options.batch:
            print(f"\nbatch {batch}, {threads} thread(s), float32; numpy {np.__version__}, torch "
                  f"{torch.__version__}; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
            print("layer".ljust(17), "GFLOP/s", *COLUMNS, "MB fwd", "MB bwd", "noise", sep="  ")
            table = []
            for name, layer in LAYERS.items():
                flops, functions = contestants(layer, batch)
                with threadpool_limits(threads):
                    ratios, bare, noise = measure(functions, options.rounds, clock)
                table.append(ratios)
                memory = [extra_memory(functions[f]) for f in ("ref", "ref backward")]
                print(name.ljust(17), f"{flops / bare / 1e9:7.1f}", *(f"{r:{len(c)}.2f}" for r, c in zip(ratios, COLUMNS)),
                      *(f"{m:6.1f}" for m in memory), f"{noise:5.0%}", sep="  ", flush=True)
            for label, row in [("geometric mean", np.exp(np.log(table).mean(axis=0))), ("largest", np.max(table, axis=0))]:
                print(label.ljust(17), " " * 7, *(f"{r:{len(c)}.2f}" for r, c in zip(row, COLUMNS)), sep="  ")


if __name__ == "__main__":
    main()
