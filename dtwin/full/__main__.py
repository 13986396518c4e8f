"""python -m dtwin.full list | NAME… | --all: the lecture's headline results at full scale."""

import argparse
import importlib
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

from . import plans

RESULTS = Path(__file__).parents[2] / "docs/results"
STATE = Path(__file__).parents[2] / ".cache/full"


def main(arguments=None):
    """The command line; returns the exit status: 0, 1 where a run failed, 3 where the time was over before all was done."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = parser_of()
    options = parser.parse_args(arguments)
    out = Path(options.out or RESULTS).resolve()
    if options.names == ["list"]:
        return show(out)
    if bool(options.names) == options.all:
        parser.error("expected list, the names of runs, or --all")
    if options.small and (options.out is None or out.is_relative_to(RESULTS.resolve())):
        parser.error(f"--small tries the runs on a few pictures: its results are none, and go to --out FOLDER, "
                     f"not to {RESULTS}")
    try:
        chosen = plans.find(options.names) if options.names else list(plans.PLANS.values())
    except ValueError as error:
        parser.error(str(error))
    return perform(chosen, options, out, arguments)


def parser_of():
    parser = argparse.ArgumentParser(prog="python -m dtwin.full", description="The lecture's results at full scale.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"list, or some of {', '.join(plans.PLANS)}")
    parser.add_argument("--all", action="store_true", help="every run, in the order of the list")
    parser.add_argument("--small", action="store_true", help="try the runs on a few pictures, to see that they work")
    parser.add_argument("--out", metavar="FOLDER", help="where the results go (docs/results)")
    parser.add_argument("--state", metavar="FOLDER", help="where units are kept when they are done (.cache/full)")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no unit after so many minutes")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the units, and the graphics cards")
    parser.add_argument("--device", help="cuda or cpu (a graphics card where there is one)")
    parser.add_argument("--eager", action="store_true", help="without CUDA graphs and streams, one network after another")
    return parser


def show(out):
    """Print the runs: their names, minutes, whether they are done, and what they do."""
    print(f"{'run':14} {'minutes':>7}  {'result':10} {'claims':>6}")
    for plan in plans.PLANS.values():
        state = "recorded" if (out / f"{plan.name}.json").exists() else "not yet"
        print(f"{plan.name:14} {plan.minutes:7g}  {state:10} {len(plan.claims):6}  {plan.says}")
    total = sum(plan.minutes for plan in plans.PLANS.values())
    print(f"{total:g} minutes in all, estimated for one H200; where time is short, run them in this order")
    return 0


def perform(chosen, options, out, arguments):
    import torch  # here, so that a list and a wrong name are quick

    from .. import data
    from . import group, units

    rank, local = units.processes()
    cards = torch.cuda.device_count()
    device = torch.device(options.device or ("cuda" if cards else "cpu"))
    if device.type == "cuda":
        if not cards:
            sys.exit(f"python -m dtwin.full: --device {device}: PyTorch sees no graphics card here; expected cpu")
        device = torch.device("cuda", local % cards)
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True
        torch.backends.cudnn.allow_tf32 = False  # what is not bfloat16 has all its digits
    group.EAGER = options.eager
    deadline = time.monotonic() + 60 * options.minutes
    state, helpers, failed = Path(options.state or STATE), [], 0
    try:
        for plan in sorted(chosen, key=lambda plan: not plan.alone):
            if rank and plan.alone:
                continue
            if not plan.alone and not helpers and rank == 0:
                helpers = [subprocess.Popen([sys.executable, "-m", "dtwin.full", *arguments, "--jobs", "1", "--minutes", str(left(deadline))],
                                            env=os.environ | {"RANK": str(n), "LOCAL_RANK": str(n)})
                           for n in range(1, options.jobs)]
            try:
                one(plan, options.small, state, out, device, deadline, rank)
            except units.OutOfTime as end:
                print(end, flush=True)
                return 3
            except Exception as error:  # one run that fails must not cost the others their time on the card
                if not isinstance(error, data.DataError | data.FetchError):
                    traceback.print_exc()
                print(f"{plan.name}: {error}", file=sys.stderr, flush=True)
                failed = 1
    finally:
        for helper in helpers:
            helper.wait()
    return failed


def left(deadline):
    """The minutes until then, for the processes that begin later."""
    return max(deadline - time.monotonic(), 0) / 60


def one(plan, small, state, out, device, deadline, rank):
    """Do one run, and write its result where this is the first process."""
    from . import pictures, record, units

    run = importlib.import_module(f".{plan.module}", __package__).RUNS[plan.name]
    data = [pictures.identity(name, small) for name in plan.data]
    shelf = units.Shelf(state / plan.name, data, small)
    done = units.work_off(plan.name, run.units(small), shelf, device, deadline, rank)
    if done is not None:
        values, claims = run.summary([(unit["setting"], unit["numbers"]) for unit in done])
        print(f"{plan.name}: {record.write(out, record.record(plan, data, done, values, claims))}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
