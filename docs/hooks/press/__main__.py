"""The press from the command line: `python -m press build | serve | record | links | kit`."""

import argparse
import os
import sys
from pathlib import Path

from . import build, chapter, kit, links, record, run

ROOT = Path(__file__).parents[3]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="press", description=__doc__)
    parser.add_argument("step", choices=("build", "serve", "record", "links", "kit"))
    step = parser.parse_args(arguments).step
    os.environ["NO_MKDOCS_2_WARNING"] = "1"  # Material's notice about its successor, once a build
    try:
        if step == "build":
            return build.build(ROOT)
        if step == "serve":
            return build.mkdocs("serve", "--livereload", "--dirty", cwd=ROOT)
        if step == "links":
            return links.check(ROOT)
        if step == "kit":
            packed = kit.pack(ROOT)
            print(f"The kit is packed: {packed.relative_to(ROOT)}, {packed.stat().st_size / 1e6:.0f} MB")
            return 0
        chapters = chapter.find(ROOT / "chapters")
        runs = run.run_all(chapters, ROOT / ".cache/runs")
        changed = record.renew(chapters, runs, ROOT / "tests/recorded")
        print("\n".join(changed) if changed else "The records say what they said before.")
        return 0
    except (chapter.ChapterError, kit.KitError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted; what had finished is kept.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
