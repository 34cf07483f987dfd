"""systemData: who made and who last changed a resource."""

from local.azure.clock import utc_text
from local.azure.resources import JsonObject
from local.azure.tokens import Principal


def created(principal: Principal) -> JsonObject:
    now = utc_text()
    return {
        "createdBy": principal.app_id,
        "createdByType": principal.kind,
        "createdAt": now,
        "lastModifiedBy": principal.app_id,
        "lastModifiedByType": principal.kind,
        "lastModifiedAt": now,
    }


def modified(system_data: JsonObject, principal: Principal) -> JsonObject:
    return {
        **system_data,
        "lastModifiedBy": principal.app_id,
        "lastModifiedByType": principal.kind,
        "lastModifiedAt": utc_text(),
    }
