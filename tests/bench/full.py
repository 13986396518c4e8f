"""Which way of training several small networks at once pays on this machine?

    python tests/bench/full.py [--groups relu depth] [--steps 30] [--rounds 3]

Networks as the full-scale runs train them, in groups, on pictures that lie on the device, by every way that
`dtwin.full.group` knows: one after another, stacked by vmap, each on its own stream; step by step, compiled, or replayed
as a CUDA graph. Each number is in thousands of pictures a second that one network learns from, all networks together, the median over
the rounds. `group.usual` takes what leads here. Without a GPU nothing is measured, unless --device cpu asks for it.
"""

import argparse
import statistics
import time
from functools import partial

import torch

from dtwin import train
from dtwin.data import loader
from dtwin.full import activations, depth, group, labels, regularisation, speed, training

# how many networks, which, and the pictures that they take
GROUPS = {
    "relu": (6, partial(activations.four_layers, "relu", "fan-in"), (3, 32, 32), 128),
    "dense": (8, partial(regularisation.Dense, 0.5), (1, 28, 28), 128),
    "alexnet": (5, labels.AlexNet, (3, 28, 28), 128),
    "inception": (1, labels.Inception, (3, 28, 28), 128),
    "depth": (5, partial(depth.net, "residual", 20), (3, 32, 32), 128),
    "deeper": (3, partial(depth.net, "residual", 56), (3, 32, 32), 128),
    "speed": (1, speed.ResNet9, (3, 32, 32), 512),
}
PLAIN = {"loop": group.Ways(), "vmap": group.Ways("vmap"), "compiled": group.Ways(compiled=True)}
HALF = dict(half=True, channels_last=True)
CARD = {"loop": group.Ways(**HALF), "loop, no channels-last": group.Ways(half=True), "loop, float32": group.Ways(),
        "loop, compiled": group.Ways(compiled=True, **HALF), "loop, graph": group.Ways(graph=True, **HALF),
        "loop, compiled, graph": group.Ways(graph=True, compiled=True, **HALF), "vmap": group.Ways("vmap", **HALF),
        "vmap, graph": group.Ways("vmap", graph=True, **HALF), "streams": group.Ways("streams", **HALF),
        "streams, graph": group.Ways("streams", graph=True, **HALF)}


def rate(name, ways, device, steps, rounds):
    """Pictures a second, all networks together."""
    count, build, shape, batch = GROUPS[name]
    several = group.Group([training.seeded(n, build) for n in range(count)], device, ways, [0.01] * count)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (steps * batch, *shape), dtype=torch.uint8, generator=generator).to(device)
    labels_ = torch.randint(10, (steps * batch,), generator=generator).to(device)
    recipe = train.Recipe(1, batch=batch, pad=2, flip=True)
    step, normal, times = several.stepper(recipe), loader.statistics(pixels), []
    for _ in range(rounds + 1):  # the first one looks for algorithms, compiles and records
        start = time.perf_counter()
        several.epoch(step, pixels, labels_, normal, recipe, lambda t: 1.0, 0)
        several.loss.tolist()
        times.append(time.perf_counter() - start)
    return count * steps * batch / statistics.median(times[1:])


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda" if torch.cuda.is_available() else None)
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=list(GROUPS))
    parser.add_argument("--ways", nargs="+", choices=sorted({*PLAIN, *CARD}))
    for name, value in {"steps": 30, "rounds": 3}.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    options = parser.parse_args(arguments)
    if options.device is None:
        print("no GPU here: nothing is measured (--device cpu measures the CPU)")
        return
    torch.backends.cudnn.benchmark = True  # as the runs have it
    device, known = torch.device(options.device), PLAIN if options.device == "cpu" else CARD
    print(f"{'group':10} {'networks':>8} {'way':24} {'1000/s':>9} {'of loop':>8}")
    for name in options.groups:
        first = None
        for way in options.ways or known:
            try:
                found = rate(name, known[way], device, options.steps, options.rounds)
            except Exception as error:  # a way that does not work here is a result, too
                print(f"{name:10} {GROUPS[name][0]:8} {way:24} {type(error).__name__}: {str(error).splitlines()[0][:80]}")
                continue
            first = first or found
            print(f"{name:10} {GROUPS[name][0]:8} {way:24} {found / 1000:9.1f} {found / first:8.2f}", flush=True)


if __name__ == "__main__":
    main()
