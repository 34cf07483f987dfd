"""Who wrote a fluxConfiguration beside Sluice."""

from datetime import datetime
from typing import Literal

from shared.domain.record import Record, digest

Operation = Literal["write", "delete"]


class ForeignWrite(Record, frozen=True):
    """A write or a deletion that Azure Resource Manager took from someone else, as its event tells."""

    configuration_id: str  #: ARM id, lower case
    subscription: str
    operation: Operation
    caller: str  #: a person's sign-in name where the event tells it, else the application's or the principal's id; "" = not told
    at: datetime  #: the event's time
    event_id: str

    def is_newer(self, than: "ForeignWrite | None") -> bool:
        """Of two of one moment the id decides, so that the order of arrival never does."""
        return than is None or (self.at, self.event_id) > (than.at, than.event_id)


def foreign_write_id(configuration_id: str) -> str:
    """The id of the record of a configuration's newest foreign write."""
    return digest("foreign-write", configuration_id.lower())
