"""The press: from one chapter file to a published, validated page.

    chapters/NN.py ── run ──> .cache/runs/NN.ipynb ── nbval against tests/recorded ── page ──> site/chapters/NN/

It knows the package `dtwin` only as something that is installed.
"""
