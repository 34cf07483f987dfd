"""The commands, in this process, on the recorded deliveries of every sender."""

import sys
from pathlib import Path

_UNIT = Path(__file__).parents[2] / "unit"
for folder in ("", "services", "receivers"):  # builders.py; worlds.py and fakes.py; recorded.py and proofs.py
    sys.path.insert(0, str(_UNIT / folder))
