"""`python -m local.host [--app DIR] [--port 7071] [--settings FILE] [--state DIR] [--auth]`"""

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from local.host.console import write_logs_to_stderr
from local.host.errors import HostError
from local.host.running import Options, serve


def parse_options(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m local.host", description="Runs a Python function app locally.")
    parser.add_argument("--app", type=Path, default=Path(), help="the folder of function_app.py and host.json")
    parser.add_argument("--port", type=int, default=7071, help="0 takes a free port")
    parser.add_argument("--settings", type=Path, help="default: local.settings.json of the app, where there is one")
    parser.add_argument("--state", type=Path, help="where keys.json is kept (default: .sluice/host in the app)")
    parser.add_argument("--auth", action="store_true", help="enforce keys (without it every level is open)")
    given = parser.parse_args(arguments)
    app = given.app.resolve()
    default_settings = app / "local.settings.json"
    settings = given.settings or (default_settings if default_settings.exists() else None)
    state = given.state or app / ".sluice" / "host"
    return Options(app, given.port, settings.resolve() if settings else None, state.resolve(), given.auth)


def main() -> int:
    """0 after a drain, 1 where the app cannot be served."""
    stdout = sys.stdout

    def announce(base_url: str) -> None:
        print(f"ready: {base_url}", file=stdout, flush=True)

    # stdout has the one line for whoever started this; what the app prints goes with its logs
    with contextlib.redirect_stdout(sys.stderr):
        write_logs_to_stderr(logging.INFO)
        try:
            is_drained = asyncio.run(serve(parse_options(sys.argv[1:]), os.environ, announce))
        except (HostError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    if not is_drained:
        sys.stderr.flush()
        os._exit(0)  # a sync function's thread cannot be ended, and would hold the process up
    return 0


if __name__ == "__main__":
    sys.exit(main())
