"""stack.json: where a running stack is, so that `sluice send` and `sluice status` find it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from local.stack.errors import NoStack

DEFAULT_STATE = Path(".sluice")
FILE = "stack.json"


@dataclass(frozen=True)
class Description:
    """Addresses, process ids, and the places of what is secret (never the secrets themselves)."""

    host: str
    azure: str
    cosmos: str
    storage_blob: str
    storage_queue: str
    storage_table: str
    authority: str  #: PEM file of the authority behind the https addresses
    configuration: str  #: the sluice.yaml in force
    repository: str  #: working tree of the repository that the fleet follows
    logs: str  #: folder with one log a process
    settings: str  #: file with the app settings in force
    receivers: dict[str, str]  #: receiver name to the file that holds its secret
    pids: dict[str, int]

    def table(self) -> str:
        """What is where, for people."""
        rows = {
            "app": self.host,
            "dashboard": f"{self.host}/api/dashboard",
            "rollouts": f"{self.host}/api/rollouts",
            **{f"receiver {name}": f"{self.host}/api/receivers/{name}" for name in self.receivers},
            "Azure (simulated)": self.azure,
            "Cosmos DB": self.cosmos,
            "Storage queues": self.storage_queue,
            "authority of https": self.authority,
            "configuration": self.configuration,
            "repository": self.repository,
            "logs": self.logs,
        }
        width = max(map(len, rows))
        return "\n".join(f"  {name:<{width}}  {place}" for name, place in rows.items())

    def write(self, state: Path) -> None:
        """Replaces stack.json in one step, readable by its owner only."""
        new = state / f"{FILE}.new"
        new.touch(mode=0o600)
        new.write_text(json.dumps(asdict(self), indent=2) + "\n")
        new.replace(state / FILE)


def read(state: Path) -> Description:
    """The stack that runs with this state directory. Raises NoStack."""
    try:
        description = Description(**json.loads((state / FILE).read_text()))
    except FileNotFoundError:
        raise NoStack(f"no stack runs with state in {state}: start one with `sluice up`") from None
    except (TypeError, ValueError) as error:
        raise NoStack(f"{state / FILE} is not the description of a stack: {error}") from None
    if not all(_alive(pid) for pid in description.pids.values()):
        raise NoStack(f"the stack with state in {state} has ended: start one with `sluice up`")
    return description


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove(state: Path) -> None:
    (state / FILE).unlink(missing_ok=True)
