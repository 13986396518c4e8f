"""A kernel that answers each cell with what it showed in the run that is kept.

With it nbval compares with its record the run that the site shows, and no chapter has to run twice.
"""

import os
from pathlib import Path

import nbformat
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel

RUN = "PRESS_RUN"  # the variable that says which run the kernel answers with


def environment(run: Path) -> dict[str, str]:
    """Return what lets Jupyter find the kernel and the kernel find a run."""
    here = Path(__file__).parent
    return {"JUPYTER_PATH": str(here), "PYTHONPATH": str(here.parent), RUN: str(run)}


class Replay(Kernel):
    """Cells are asked for in their order; some may be left out."""

    implementation, implementation_version, banner = "replay", "1", ""
    language_info = {"name": "python", "mimetype": "text/x-python", "file_extension": ".py"}

    def __init__(self, **options):
        super().__init__(**options)
        self.run = os.environ[RUN]
        self.coming = iter(nbformat.read(self.run, as_version=4).cells)

    def do_execute(self, code, *_, **__):
        cell = next((cell for cell in self.coming if cell.source == code), None)
        if cell is None:
            why = f"this cell, or one before it, is not in {self.run}: make site"
            error = {"ename": "LookupError", "evalue": why, "traceback": [why]}
            self.send_response(self.iopub_socket, "error", error)
            return {"status": "error", "execution_count": self.execution_count, **error}
        for output in cell.outputs:
            self.send_response(self.iopub_socket, output.pop("output_type"), output)
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Replay)
