"""The extension and the fluxConfigurations of a cluster, as Azure has them, and what may be done to them."""

from collections.abc import Sequence
from typing import Any, Literal

from shared.domain.baselines import EXTENSION_NAME, FLUX_EXTENSION, Kind
from shared.domain.observations import NON_COMPLIANT
from shared.domain.record import Record

Json = dict[str, Any]

_MAX_MESSAGE = 500
_AT_WORK = frozenset({"Creating", "Updating", "Deleting"})


class Found(Record, frozen=True):
    """A resource as Azure has it: its name, and its properties with ARM's names."""

    name: str
    properties: Json

    @property
    def provisioning(self) -> str:
        return str(self.properties.get("provisioningState") or "")

    @property
    def is_at_work(self) -> bool:
        """An operation is open: a write would be refused with 409."""
        return self.provisioning in _AT_WORK

    @property
    def has_failed(self) -> bool:
        return self.provisioning in ("Failed", "Canceled")

    @property
    def compliance(self) -> str:
        return str(self.properties.get("complianceState") or "Pending")  # absent until the first report

    @property
    def complaint(self) -> str:
        """Why a fluxConfiguration is not Compliant, in Flux's words: the first of its objects that says so."""
        if self.compliance == NON_COMPLIANT:
            for status in self.properties.get("statuses") or []:
                for condition in status.get("statusConditions") or []:
                    if condition.get("type") == "Ready" and condition.get("status") == "False":
                        who = f"{status.get('kind')} {status.get('name')}"
                        return f"{who}: {condition.get('reason')}: {condition.get('message')}"[:_MAX_MESSAGE]
        return f"it is {self.compliance}"

    @property
    def error(self) -> str:
        """What Azure says of its own failure."""
        info = self.properties.get("errorInfo")
        told = info.get("message") if isinstance(info, dict) else self.properties.get("errorMessage")
        return f"Azure says {self.provisioning}: {told or 'without a reason'}"[:_MAX_MESSAGE]


class Seen(Record, frozen=True):
    """One look at one resource. `others`: fluxConfigurations are on the cluster, asked for only where the extension is to go."""

    found: Found | None
    others: bool = False


class Write(Record, frozen=True):
    """One call to Azure Resource Manager."""

    method: Literal["PUT", "PATCH", "DELETE"]
    kind: Kind
    name: str
    properties: Json = {}
    secrets: dict[str, str] = {}  #: where in the properties (names joined by dots), and the reference of what belongs there


def flux_among(extensions: Sequence[Found]) -> Found | None:
    """The Flux extension, whatever its name: a cluster can have one. Azure may spell the type in other letters."""
    own_name_first = sorted(extensions, key=lambda found: (found.name != EXTENSION_NAME, found.name))
    return next((found for found in own_name_first if str(found.properties.get("extensionType", "")).lower() == FLUX_EXTENSION), None)
