"""The app settings for commands that work on the app's own database and queues."""

import argparse
import json
import os
from pathlib import Path


class BadSettings(Exception):
    """The settings file cannot be used; the text is for people."""


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--settings", type=Path, metavar="FILE", help="a local.settings.json (default: the environment's, or the stack's)")


def use(options: argparse.Namespace) -> None:
    """Takes the named file's settings; without one the environment's, and where that names no database the running local stack's.

    What the environment sets wins over a file, as with `func`. Raises BadSettings, and NoStack where there is nothing to take.
    Call it before anything of Azure is imported: a local authority is trusted through the environment, at import.
    """
    if options.settings:
        _take(options.settings)
    elif "COSMOS_ENDPOINT" not in os.environ:
        from local.stack import description

        os.environ.update(json.loads(Path(description.read(options.state).settings).read_text()))


def _take(file: Path) -> None:
    try:
        values = json.loads(file.read_text())["Values"]
        usable = {str(name): str(value) for name, value in values.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadSettings(f"{file} has no readable Values: {type(error).__name__}") from None
    os.environ.update({name: value for name, value in usable.items() if name not in os.environ})
