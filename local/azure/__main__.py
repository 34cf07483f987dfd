"""`python -m local.azure --port P --cert FILE --key FILE`: serves until SIGTERM or SIGINT."""

import argparse
import asyncio
import os
import signal
from pathlib import Path

from local.azure.server import Settings, serve


def main() -> None:
    asyncio.run(_run(_settings()))


def _settings() -> Settings:
    parser = argparse.ArgumentParser(prog="python -m local.azure", description="The Azure simulator.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--cert", type=Path, required=True, help="PEM file of the server's certificate chain")
    parser.add_argument("--key", type=Path, required=True, help="PEM file of its key")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same fleet and the same chances")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds of cluster life in a second")
    given = parser.parse_args()
    header = os.environ.get("IDENTITY_HEADER", "")
    return Settings(given.port, given.cert, given.key, header, given.seed, given.speed)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, lambda line: print(line, flush=True), stop)


if __name__ == "__main__":
    main()
