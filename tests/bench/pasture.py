"""How long does the pasture take to render, and how much memory?

    python tests/bench/pasture.py [--count 2000] [--size 32 64]

The workers are timed in seconds of the processor, which others cannot take (though a busy neighbour on the same core
slows it), their start included; all cores by the clock, with the machine's load before. Nothing is read from the cache.
"""

import argparse
import os
import resource
import time
import tracemalloc

from dtwin.data.pasture import images, pictures, sample
from dtwin.data.pasture import picture

GOALS = {32: 25, 64: 90}  # seconds for 10,000 on two idle cores


def workers(scenes):
    """Seconds of all processors together, and by the clock."""
    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before, start = spent(), time.perf_counter()
    images(scenes)
    return spent() - before, time.perf_counter() - start


def memory(scenes):
    """The peak in MB for a full block."""
    worth, picture.WORTH = picture.WORTH, float("inf")  # in this process
    try:
        tracemalloc.start()
        images(scenes[:max(1, picture.BLOCK // (scenes[0].size * scenes[0].samples) ** 2)])
        return tracemalloc.get_traced_memory()[1] / 2**20
    finally:
        tracemalloc.stop()
        picture.WORTH = worth


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--size", type=int, nargs="+", default=[32, 64])
    options = parser.parse_args()
    for size in options.size:
        scenes = sample(options.count, 0, size=size)
        load = os.getloadavg()[0]
        spent, wall = workers(scenes)
        before = time.process_time()
        list(pictures(scenes[:64]))
        truth = (time.process_time() - before) / 64
        ms, goal = 1000 / len(scenes), f", goal {GOALS[size]} s" if size in GOALS else ""
        print(f"{size} × {size}: {ms * spent:.1f} ms of one core an image, {1000 * truth:.1f} ms with its truth, "
              f"{memory(scenes):.0f} MB at most\n    10,000 on two idle cores: {ms * spent * 5:.0f} s by that{goal}; "
              f"by the clock {ms * wall * 10:.0f} s on {os.cpu_count()} cores at load {load:.1f}")


if __name__ == "__main__":
    main()
