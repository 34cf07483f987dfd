"""Azurite: where it listens, as a connection string."""

import re
from dataclasses import dataclass

from local.node import node, package_script

# The account and key that every Azurite has and its documentation prints: no secret.
_ACCOUNT = "devstoreaccount1"
_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

#: What Azurite prints when its last service listens; the table service comes last.
READY = r"Table service is successfully listening at \S+"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (http://\S+)")


@dataclass(frozen=True)
class StorageUrls:
    """The account's addresses, without a slash at the end."""

    blob: str
    queue: str
    table: str

    def connection_string(self) -> str:
        parts = {
            "DefaultEndpointsProtocol": "http",
            "AccountName": _ACCOUNT,
            "AccountKey": _KEY,
            "BlobEndpoint": self.blob,
            "QueueEndpoint": self.queue,
            "TableEndpoint": self.table,
        }
        return ";".join(f"{name}={value}" for name, value in parts.items())


def command() -> list[str]:
    """Azurite in memory, on free loopback ports, silent and without telemetry."""
    command = [node(), package_script("azurite", "dist/src/azurite.js")]
    for service in ("blob", "queue", "table"):
        command += [f"--{service}Host", "127.0.0.1", f"--{service}Port", "0"]
    return [*command, "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence"]


def urls(output: str) -> StorageUrls:
    """The addresses in what Azurite printed until it was ready."""
    found = {service.lower(): f"{url}/{_ACCOUNT}" for service, url in _LISTENING.findall(output)}
    return StorageUrls(**found)
