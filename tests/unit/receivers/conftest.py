"""The use case that receivers stand behind, on its fakes."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "services"))  # fakes.py and worlds.py, also where only this folder is run
