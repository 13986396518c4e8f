"""One experiment with many seeds or settings: as many at once as the computer has cores."""

import copyreg
import importlib
import sys
from functools import cache, partial
from itertools import product
from types import ModuleType

import loky
import torch
from tqdm import tqdm

# of a worker: one thread and no workers of its own, as there are as many workers as cores; no bar that draws over the
# others'; and it stays, with all that it has imported, however much more memory it needs than after its first call
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "LOKY_MAX_CPU_COUNT": "1",
               "TQDM_DISABLE": "1", "LOKY_MAX_MEMORY_LEAK_SIZE": "1e12"}

# a function that uses torch takes along each of torch's modules that has the name of an attribute in it, as `classes`
# has; some of these are of types of their own, for which pickle has no rule
for _module in [module for name, module in sys.modules.items() if name.startswith("torch.")]:
    if isinstance(_module, ModuleType) and type(_module) is not ModuleType:
        copyreg.pickle(type(_module), lambda module: (importlib.import_module, (module.__name__,)))


def _pool():
    """The workers, or None where a call has this process to itself."""
    workers = 1 if torch.cuda.is_available() else min(loky.cpu_count(), 8)
    return loky.get_reusable_executor(workers, timeout=60, env=ENVIRONMENT) if workers > 1 else None


def _here(function, *values):
    with torch.random.fork_rng(range(torch.cuda.device_count())):  # as if in another process
        return function(*values)


def map(function, *arguments, desc=None):
    """The list of function(a, b, …) for the first of each of the arguments, for the second, and so on.

    The calls run in processes of their own, as many as there are cores but at most eight, on one thread each; with a
    GPU, which they would have to share, one after the other in this process. So a call must seed the random numbers that
    it draws, and neither change what it finds here nor wait for such a change: each worker has a copy of all that the
    function names. `desc` stands before the progress bar.

    Raises:
        ValueError: the arguments differ in length.
        TerminatedWorkerError: a worker was killed, as a rule for want of memory.
    """
    arguments = [list(values) for values in arguments]
    lengths = [len(values) for values in arguments]
    if len(set(lengths)) != 1:
        raise ValueError(f"map: got arguments of lengths {lengths}, expected one or more of equal length")
    bar = {"desc": desc, "total": lengths[0]}
    if pool := _pool():
        try:
            return list(tqdm(pool.map(function, *arguments), **bar))
        except BaseException:  # an interrupt too: what is queued would run on
            pool.shutdown(kill_workers=True)
            raise
    return [_here(function, *values) for values in tqdm(zip(*arguments), **bar)]


def grid(function, rows, columns, desc=None):
    """The nested list of function(row, column): a list for each row, in which each column has a result.

    The calls run as those of `map` do.
    """
    rows, columns = list(rows), list(columns)
    pairs = list(product(rows, columns))
    found = map(function, [row for row, _ in pairs], [column for _, column in pairs], desc=desc)
    return [found[n * len(columns):(n + 1) * len(columns)] for n in range(len(rows))]


def start(function, *arguments):
    """A function without arguments that waits for function(*arguments) and returns it.

    One of the workers of `map` makes the call, at once if it has no other, and what follows has one worker less until it
    is done. Where there are no workers the call is made when its result is first asked for; so it is, once more, after
    a `map` that failed or was interrupted, which ends all workers and with them the call.

    Raises:
        TerminatedWorkerError: the result is asked for, but the worker was killed, as a rule for want of memory.
    """
    if not (pool := _pool()):
        return cache(partial(_here, function, *arguments))
    running = pool.submit(function, *arguments)

    @cache
    def result():
        try:
            return running.result()
        except loky.process_executor.ShutdownExecutorError:
            return start(function, *arguments)()

    return result
