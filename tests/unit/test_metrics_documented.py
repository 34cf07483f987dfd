"""Every metric of the code is in the documentation, and the reverse."""

import re
from pathlib import Path

from shared import metrics

ROOT = Path(__file__).parents[2]


def test_the_documentation_lists_every_metric() -> None:
    known = {value for name, value in vars(metrics).items() if name.isupper() and isinstance(value, str)}
    assert set(re.findall(r"^\| `(sluice\.[\w.]+)` \|", (ROOT / "docs" / "monitoring.md").read_text(), re.MULTILINE)) == known
