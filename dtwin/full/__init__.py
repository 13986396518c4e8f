"""The lecture's headline results at full scale: `python -m dtwin.full list | NAME… | --all`."""
