"""Azurite and hosts as real processes; every one ends with the test process, whatever happens to it."""

import http.client
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueClient, TextBase64DecodePolicy, TextBase64EncodePolicy

REPOSITORY = Path(__file__).parents[3]
SAMPLE = Path(__file__).parent / "app"
#: Run before the real command, so that the kernel ends it with its parent (prctl PR_SET_PDEATHSIG is 1).
DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"


def spawn(command: list[str], **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-I", "-S", "-c", DIE_WITH_PARENT, *command], text=True, **options)


def eventually(look: Callable[[], Any], *, seconds: float = 10) -> Any:
    """What `look` returns, as soon as that is true; fails when it never was."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.03)
    return found


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Storage:
    """An Azurite that is running."""

    connection: str

    def queue(self, name: str, *, encoded: bool = True) -> QueueClient:
        policies = {"message_encode_policy": TextBase64EncodePolicy(), "message_decode_policy": TextBase64DecodePolicy()} if encoded else {}
        return QueueClient.from_connection_string(self.connection, name, **policies)

    def blobs(self) -> BlobServiceClient:
        return BlobServiceClient.from_connection_string(self.connection)


@dataclass(frozen=True)
class Host:
    """A host process that has said that it is ready. `folder` holds its app, its state and its log."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    work_queue: str
    storage: Storage

    @property
    def log(self) -> Path:
        return self.folder / "stderr.log"

    @property
    def keys(self) -> dict[str, Any]:
        return json.loads((self.folder / "state" / "keys.json").read_text())

    def send(self, method: str, path: str, body: bytes | str | None = None, headers: Mapping[str, str] | None = None) -> Reply:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("GET", path, headers=headers)

    def post_json(self, path: str, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
        return self.send("POST", path, json.dumps(document), headers)

    def seen(self, function: str, **fields: Any) -> list[dict[str, Any]]:
        """What that function of the sample app noted, in order."""
        wanted = {"function": function, **fields}
        return [note for note in self.get("/api/seen").json if wanted.items() <= note.items()]

    def queue(self, suffix: str = "", *, encoded: bool = True) -> QueueClient:
        return self.storage.queue(self.work_queue + suffix, encoded=encoded)

    def peek(self, suffix: str = "", *, encoded: bool = True) -> list[str]:
        """What is visible in that queue; nothing where there is no such queue."""
        try:
            peeked = self.queue(suffix, encoded=encoded).peek_messages(max_messages=32)
        except ResourceNotFoundError:
            return []
        return [message.content for message in peeked]

    def order(self, **order: Any) -> str:
        """Puts a message for the function `work` into its queue; its name is returned."""
        name = uuid.uuid4().hex
        self.queue().send_message(json.dumps({"name": name, **order}))
        return name


StartHost = Callable[..., Host]


def connection_string(azurite: subprocess.Popen[str]) -> str:
    """Azurite says where it listens; port 0 has given it free ports."""
    endpoints = {}
    while not {"Blob", "Queue", "Table"} <= endpoints.keys():
        line = azurite.stdout.readline()
        assert line, "Azurite ended before it listened"
        if "successfully listening at" in line:
            endpoints[line.split()[1]] = line.split()[-1]
    account = "devstoreaccount1"
    # the public key of the storage emulator's account, the same everywhere
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    return (
        f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};"
        f"BlobEndpoint={endpoints['Blob']}/{account};QueueEndpoint={endpoints['Queue']}/{account};"
    )


@dataclass(frozen=True)
class Ended:
    """A host that did not start."""

    status: int
    stdout: str
    stderr: str


def host_command(app: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "local.host", "--app", str(app), "--port", "0", *arguments]


def environment_of(storage: Storage, extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "AzureWebJobsStorage": storage.connection, **extra}
