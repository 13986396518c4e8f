"""python -m dtwin.data list | fetch NAME… | fetch --all | verify: the data sets on this machine."""

import argparse
import sys

from . import pasture
from .fetch import FetchError, difference, fetch, find
from .sources import FILES
from .store import DataError

# name, pictures, their size, classes, where from
SETS = [
    ("pasture", "any", "3 x any", str(len(pasture.SPECIES)), "rendered here"),
    ("digits", "1,797", "1 x 8 x 8", "10", "scikit-learn's wheel"),
    ("photographs", "9", "differ", "-", "scikit-image's wheel"),
    ("faces", "200", "1 x 25 x 25", "2", "scikit-image's wheel"),
    ("stereo", "2", "3 x 500 x 741", "-", "scikit-image's wheel"),
    ("cifar10", "60,000", "3 x 32 x 32", "10", None),
    ("fashion_mnist", "70,000", "1 x 28 x 28", "10", None),
]


def where(name):
    """Where the files of a fetched set lie, or that they are not here and how large they are."""
    paths = [find(remote) for remote in FILES[name]]
    if all(paths):
        return str(paths[0] if len(paths) == 1 else paths[0].parent)
    size = sum(remote.size for remote, path in zip(FILES[name], paths) if not path)
    return f"not here, {size / 1e6:.0f} MB to fetch"


def verify():
    """Compares every fetched file with its checksum and returns how many are wrong."""
    wrong = 0
    for name, remotes in FILES.items():
        for remote in remotes:
            path = find(remote)
            problem = difference(path, remote) if path else None
            wrong += bool(problem)
            print(f"{name:14} {path or remote.file}: {problem or ('good' if path else 'not here')}")
    return wrong


def main(arguments=None):
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dtwin.data", description="The data sets on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("list", help="every set, and where it is")
    fetching = commands.add_parser("fetch", help="fetch sets that are not here")
    fetching.add_argument("names", nargs="*", metavar="NAME", help=", ".join(FILES))
    fetching.add_argument("--all", action="store_true", help="all of them")
    commands.add_parser("verify", help="compare what was fetched with its checksums")
    options = parser.parse_args(arguments)
    if options.command == "list":
        for name, count, size, classes, place in SETS:
            print(f"{name:14} {count:>7}  {size:14} {classes:>3} classes  {place or where(name)}")
    elif options.command == "verify":
        return 1 if verify() else 0
    elif set(options.names) - set(FILES) or not (options.all or options.names):
        fetching.error(f"got {' '.join(options.names) or 'no name'}, expected some of {' '.join(FILES)}, or --all")
    else:
        try:
            for name in FILES if options.all else options.names:
                print(name, *(fetch(remote) for remote in FILES[name]), sep="\n  ")
        except (FetchError, DataError) as error:
            print(error, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
