"""What is written to stderr: the host's own records and those of the app, one line each."""

import logging
import sys
from typing import Final

from azure_functions_runtime.utils.executor import invocation_id_cv

#: Loggers that would otherwise write a line for every poll of a queue.
_QUIET: Final = ("azure.core", "azure.storage", "aiohttp.access", "azure.functions", "asyncio")
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LineFormatter(logging.Formatter):
    """The message, then what the app gave as `extra=`, then the invocation during which it was written."""

    def format(self, record: logging.LogRecord) -> str:
        """As logging.Formatter's; extras are written as name=value because their names are the app's own fields."""
        line = super().format(record)
        fields = [f"{name}={value}" for name, value in vars(record).items() if name not in _STANDARD]
        if invocation_id := invocation_id_cv.get():
            fields.append(f"[{invocation_id[:8]}]")
        if not fields:
            return line
        first, *rest = line.split("\n")
        return "\n".join([" ".join([first, *fields]), *rest])


def write_logs_to_stderr(level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(LineFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
