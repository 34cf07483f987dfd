"""Azure Event Grid delivers an event."""

from typing import TYPE_CHECKING

import azure.functions as func

from shared import bootstrap
from shared.log import event_logger

if TYPE_CHECKING:
    from shared.azure_events.event import AzureEvent

blueprint = func.Blueprint()

log = event_logger("sluice.azure_events")


# The library gives a CloudEvent where that is what came, whatever the parameter is declared as; it takes no union of the two.
@blueprint.event_grid_trigger("event")
async def on_azure_event(event: func.EventGridEvent) -> None:
    """An event that is refused is done with: delivered again it would be no better. Every other failure has it delivered again."""
    from shared.domain.errors import Refused

    try:
        await bootstrap.app().on_azure_event()(_read(event))
    except Refused as refused:
        log.warning("event.refused", extra={"reason": refused.reason})


def _read(event: func.EventGridEvent | func.CloudEvent) -> "AzureEvent":
    from shared.azure_events.event import azure_event

    if isinstance(event, func.CloudEvent):
        kind, topic, at = event.type, event.source, event.time
    else:
        kind, topic, at = event.event_type, event.topic, event.event_time
    return azure_event(id=event.id, type=kind, topic=topic, subject=event.subject, at=at, data=event.get_json())
