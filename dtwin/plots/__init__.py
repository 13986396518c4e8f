"""The figures of the course: one function per kind, drawn once for light pages and once for dark ones."""

from .canvas import WIDTH, blank, canvas, cells, check, name_ends, sheet
from .charts import bars, curves
from .drawing import DARK_KEY, Drawing, figure
from .matrices import im2col, matrices, tied
from .moving import moving
from .pictures import images, maps, neighbours, overlays
from .theme import DARK, LIGHT, Theme, diverging, ramp, theme
