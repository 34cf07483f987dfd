"""`sluice flux-token`, run as a user runs it."""

import hmac
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

CLUSTER = "/subscriptions/0a7e/resourceGroups/Shops/providers/Microsoft.Kubernetes/connectedClusters/Berlin"
TOKEN = hmac.digest(b"a secret", CLUSTER.lower().encode(), "sha256").hex()
FLUX = "  - {name: flux, type: flux, secretRef: env://SLUICE_SECRET_FLUX}\n"
OTHER = "  - {name: other, type: flux, secretRef: env://SLUICE_SECRET_OTHER, identity: shared}\n"


def run(folder: Path, receivers: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Against a sluice.yaml with these receivers; only its secret is at hand, neither a database nor a queue."""
    configuration = folder / "sluice.yaml"
    configuration.write_text(f"apiVersion: sluice/v1\nreceivers:\n{receivers or '  []'}")
    settings = {
        "COSMOS_ENDPOINT": "https://127.0.0.1:1",
        "KEY_ENCRYPTION_KEY": f"file:{folder / 'key'}",
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "SLUICE_CONFIG": str(configuration),
        "SLUICE_SECRET_FLUX": "a secret",
    }
    command = [sys.executable, "-m", "cli", "flux-token", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | settings)


def test_the_token_is_printed_alone(tmp_path: Path) -> None:
    done = run(tmp_path, FLUX, "--cluster", CLUSTER)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{TOKEN}\n", "")


def test_of_several_receivers_one_is_named(tmp_path: Path) -> None:
    assert run(tmp_path, FLUX + OTHER, "--cluster", CLUSTER, "--receiver", "flux").stdout == f"{TOKEN}\n"


def test_a_secret_is_ready_to_be_applied(tmp_path: Path) -> None:
    done = run(tmp_path, FLUX, "--cluster", CLUSTER, "--namespace", "cluster-config")
    assert yaml.safe_load(done.stdout) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "sluice", "namespace": "cluster-config"},
        "stringData": {"token": TOKEN},
    }


@pytest.mark.parametrize(
    ("receivers", "arguments", "reason"),
    [
        (FLUX, ["--cluster", "berlin"], "--cluster: not the ARM id of an Arc or AKS cluster"),
        (FLUX, ["--cluster", CLUSTER, "--namespace", "a: b"], "--namespace must be the name of a Kubernetes namespace"),
        (FLUX, ["--cluster", CLUSTER, "--receiver", "github"], "one receiver of type flux (sluice.yaml has: flux)"),
        (FLUX + OTHER, ["--cluster", CLUSTER], "one receiver of type flux (sluice.yaml has: flux, other)"),
        ("", ["--cluster", CLUSTER], "one receiver of type flux (sluice.yaml has: none)"),
        (OTHER, ["--cluster", CLUSTER], "the clusters of receiver other share its secret"),
        (FLUX.replace("FLUX", "MISSING"), ["--cluster", CLUSTER], "SLUICE_SECRET_MISSING"),
    ],
)
def test_without_a_token_it_says_why(tmp_path: Path, receivers: str, arguments: list[str], reason: str) -> None:
    done = run(tmp_path, receivers, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert reason in done.stderr
    assert "a secret" not in done.stderr
