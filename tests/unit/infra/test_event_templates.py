"""What Event Grid is asked to tell: to a function that is there, of events that the code knows."""

import re
from typing import Any

import pytest
from bicep import FOLDER, TEMPLATES, template, variable

from shared.azure_events import FAMILIES

ROOT = FOLDER.parent
SUBSCRIPTIONS = [
    (name, resource["config"]["properties"])
    for name in TEMPLATES
    for resource in template(name).get("resources", {}).values()
    if resource["type"].endswith("/eventSubscriptions")
]


@pytest.mark.parametrize(("name", "properties"), SUBSCRIPTIONS)
def test_events_go_to_a_function_that_is_there_and_are_tried_for_a_day(name: str, properties: dict[str, Any]) -> None:
    assert properties["destination"]["endpointType"] == "AzureFunction", name
    assert properties["destination"]["properties"]["resourceId"].endswith("/functions/on_azure_event")
    assert "async def on_azure_event(" in (ROOT / "functions" / "on_azure_event.py").read_text()
    assert properties["retryPolicy"] == {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}


def test_events_that_are_subscribed_to_are_those_that_the_code_knows() -> None:
    text = "\n".join((FOLDER / name).read_text() for name in TEMPLATES if name.startswith("events"))
    named = set(re.findall(r"'(Microsoft\.\w+\.(?:Image|Blob|Secret|PolicyState(?=[CD])|Resource(?:Write|Delete))\w+)'", text))
    assert len(named) == 13
    assert named <= set(FAMILIES)


def test_dead_letters_have_their_container_and_the_right_to_it() -> None:
    destination = variable("events/subscription.bicep", "deadLetters")["deadLetterDestination"]
    (container,) = (
        resource["config"]["name"]
        for resource in template("events/dead-letters.bicep")["resources"].values()
        if resource["type"].endswith("/containers")
    )
    assert destination["properties"]["blobContainerName"] == container
    assert f"'{container}'" in (FOLDER / "modules" / "storage.bicep").read_text()


def test_the_hook_of_azd_gives_events_what_they_ask_for() -> None:
    hook = (ROOT / "azure.yaml").read_text()
    given = set(re.findall(r"\b(\w+)=", hook.partition("--parameters")[2]))
    asked = template("events.bicep")["parameters"]
    assert given == set(asked)
    made = set(re.findall(r"^output (\w+)", (FOLDER / "main.bicep").read_text(), re.MULTILINE))
    assert set(re.findall(r"\$(SLUICE_\w+)", hook)) <= made
