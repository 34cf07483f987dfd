"""`python -m local.cosmos --port P --cert FILE --key FILE` prints `ready: https://127.0.0.1:PORT` and serves until it is stopped."""

import argparse
import os
from pathlib import Path

from local.node import node

SERVER = Path(__file__).with_name("server.js")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.cosmos", description="A Cosmos DB account in memory.")
    parser.add_argument("--port", type=int, default=8081, help="0 picks a free port")
    parser.add_argument("--cert", type=Path, required=True, help="PEM file: the server's certificate chain")
    parser.add_argument("--key", type=Path, required=True, help="PEM file: its private key")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    command = [node(), str(SERVER), str(options.port), str(options.cert), str(options.key)]
    # Replaced, not wrapped: signals, exit status and death with the parent need no forwarding.
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()
