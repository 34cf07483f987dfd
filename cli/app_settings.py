"""The app settings for commands that work on the app's own database and queues."""

import argparse
import json
import os
from pathlib import Path


def use(options: argparse.Namespace) -> None:
    """Takes the running local stack's settings, unless the environment names a database. Raises NoStack.

    Call it before anything of Azure is imported: the local authority is trusted through the environment, at import.
    """
    if os.environ.get("COSMOS_ENDPOINT"):
        return
    from local.stack import description

    os.environ.update(json.loads(Path(description.read(options.state).settings).read_text()))
