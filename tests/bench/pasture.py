"""How long does the pasture take to render, and how much memory?

    python tests/bench/pasture.py [--count 1000] [--size 32 64]

One process is timed in seconds of the processor, which others cannot take (though a busy neighbour on the same
core slows it); all cores by the clock, with the machine's load before. Nothing is read from the cache.
"""

import argparse
import os
import time
import tracemalloc

from dtwin.data.pasture import images, pictures, sample
from dtwin.data.pasture import picture

GOALS = {32: 25, 64: 90}  # seconds for 10,000 on two idle cores


def one_process(scenes):
    """Processor seconds for an image, and the peak of memory in MB for a full block."""
    worth, picture.WORTH = picture.WORTH, float("inf")
    try:
        images(scenes[:8])
        before = time.process_time()
        images(scenes)
        spent = (time.process_time() - before) / len(scenes)
        tracemalloc.start()
        images(scenes[:max(1, picture.BLOCK // (scenes[0].size * scenes[0].samples) ** 2)])
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    finally:
        picture.WORTH = worth
    return spent, peak


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--size", type=int, nargs="+", default=[32, 64])
    options = parser.parse_args()
    for size in options.size:
        scenes = sample(options.count, 0, size=size)
        load = os.getloadavg()[0]
        spent, peak = one_process(scenes[:256])
        before = time.perf_counter()
        images(scenes)
        wall = time.perf_counter() - before
        before = time.process_time()
        list(pictures(scenes[:64]))
        truth = (time.process_time() - before) / 64
        goal = f", goal {GOALS[size]} s" if size in GOALS else ""
        print(f"{size} × {size}: {1000 * spent:.1f} ms of one core an image, {1000 * truth:.1f} ms with its truth, "
              f"{peak:.0f} MB at most\n    10,000 on two idle cores: {spent * 5000:.0f} s by that{goal}; "
              f"by the clock {wall / options.count * 10_000:.0f} s on {os.cpu_count()} cores at load {load:.1f}")


if __name__ == "__main__":
    main()
