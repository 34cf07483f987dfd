"""The templates as pycep reads them: a Bicep file as plain dictionaries, lists and texts."""

from functools import cache
from pathlib import Path
from typing import Any

from pycep import BicepParser

FOLDER = Path(__file__).parents[3] / "infra"
TEMPLATES = sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.bicep"))


@cache
def template(name: str) -> dict[str, Any]:
    """Raises when the text is not Bicep."""
    found: dict[str, Any] = BicepParser().parse(text=(FOLDER / name).read_text())
    return found


def variable(name: str, variable_name: str) -> Any:
    return template(name)["variables"][variable_name]["value"]


def number(value: Any) -> int:
    """A number as it was written, a negative one too."""
    return value if isinstance(value, int) else -value["operator"]["operands"]["integer_value"]
