"""What is published beside the code says what the code says."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.config.loader import schema
from shared.config.settings import read
from shared.domain.gate_calls import call_headers, signing_key
from shared.domain.messages import QUEUES

ROOT = Path(__file__).parents[2]


def test_the_published_schema_is_the_one_that_the_loader_checks() -> None:
    published = json.loads((ROOT / "docs" / "sluice.schema.json").read_text())
    assert published == json.loads(json.dumps(schema())), "run: sluice schema > docs/sluice.schema.json"


def test_the_sample_settings_are_enough_to_start_with() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())
    assert sample["IsEncrypted"] is False
    assert read(sample["Values"]).sluice_config


def test_every_queue_and_its_poison_queue_has_a_function() -> None:
    code = "\n".join(path.read_text() for path in (ROOT / "functions").glob("*.py"))
    for queue in QUEUES:
        assert f'queue_name="{queue}"' in code
        assert f'queue_name="{queue}-poison"' in code


def test_every_app_setting_in_a_trigger_is_in_the_sample() -> None:
    sample = json.loads((ROOT / "local.settings.sample.json").read_text())["Values"]
    code = "\n".join(path.read_text() for path in (ROOT / "functions").glob("*.py"))
    schedules = ("SWEEP_ROLLOUTS_SCHEDULE", "SWEEP_COMPLIANCE_SCHEDULE", "SWEEP_FLEET_SCHEDULE")
    assert code.count("%") == 2 * len(schedules)
    assert all(f"%{name}%" in code for name in schedules if name in sample)


def test_the_example_of_a_gate_s_service_knows_our_calls_from_others(monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "gates.md").read_text(), re.DOTALL)
    secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    monkeypatch.setenv("GATE_SECRET", secret)
    example: dict[str, Any] = {"__name__": "example"}
    exec(code, example)  # noqa: S102 -- our own example
    headers = dict(call_headers("gate_1", b"{}", signing_key(secret), datetime.now(UTC)))
    assert example["is_genuine"](headers, b"{}")
    assert not example["is_genuine"](headers, b"{ }")
    assert not example["is_genuine"](headers | {"webhook-id": "gate_2"}, b"{}")
    assert not example["is_genuine"](headers | {"webhook-timestamp": "1"}, b"{}")
    assert not example["is_genuine"]({}, b"{}")
