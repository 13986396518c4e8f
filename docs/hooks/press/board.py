"""What a build says of its running chapters."""

import time

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn


class Board:
    """One progress line a chapter: moving on a terminal, a line at start and end elsewhere."""

    def __init__(self, runs: list, reasons: list[str]):
        self.console = Console(stderr=True)
        columns = TextColumn("{task.description:26}"), BarColumn(24), TextColumn("{task.fields[state]}"), TimeElapsedColumn()
        self.progress = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.tasks = {
            run.chapter.slug: self.progress.add_task(run.chapter.slug, total=len(run.chapter.code), state=reason, start=False)
            for run, reason in zip(runs, reasons)
        }
        self.reasons = {run.chapter.slug: reason for run, reason in zip(runs, reasons)}

    def __enter__(self):
        self.progress.start()
        return self

    def __exit__(self, *_):
        self.progress.stop()

    def show(self, runs) -> None:
        for run in runs:
            if run.started is None:
                continue
            slug, total = run.chapter.slug, len(run.chapter.code)
            reason = self.reasons.pop(slug, None)
            if reason is not None:
                self.progress.start_task(self.tasks[slug])
                if not self.console.is_terminal:
                    print(f"{slug}: running {total} cells ({reason})", flush=True)
            self.progress.update(self.tasks[slug], completed=run.done, state=f"cell {run.done + 1}/{total}")

    def finish(self, run, state: str) -> None:
        slug, total = run.chapter.slug, len(run.chapter.code)
        self.progress.update(self.tasks[slug], completed=total if state == "done" else run.done, state=state)
        self.progress.stop_task(self.tasks[slug])
        if not self.console.is_terminal:
            seconds = time.monotonic() - run.started if run.started else 0
            print(f"{slug}: {state} after {seconds:.1f} s", flush=True)
