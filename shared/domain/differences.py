"""What must be written so that a resource becomes what is asked: compared with what Azure has, in all the ways it may say the same."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

#: What Azure takes a field to be that is not there (azure-rest-api-specs, fluxConfigurations 2025-04-01, extensions 2025-03-01).
_DEFAULTS: dict[str, Any] = {
    "autoUpgradeMinorVersion": True,
    "dependsOn": [],
    "force": False,
    "namespace": "default",
    "optional": False,
    "path": "",
    "prune": False,
    "releaseTrain": "Stable",
    "scope": "cluster",
    "sourceKind": "GitRepository",
    "suspend": False,
    "syncIntervalInSeconds": 600,
    "timeoutInSeconds": 600,
    "useWorkloadIdentity": False,
    "wait": True,
}
#: Their values are names of Azure's: it may give them back in other letters.
_NAMES = frozenset({"extensionType", "kind", "provider", "releaseTrain", "scope", "sourceKind"})
_NOTHING: Json = {}


def difference(asked: Mapping[str, Any], last: Mapping[str, Any], found: Mapping[str, Any]) -> Json:
    """The merge patch (RFC 7396) from `found` to `asked`; {} where nothing differs.

    What `last` asked for and `asked` no longer names is taken away. Everything else that stands there is someone else's, and stays.
    """
    patch: Json = {name: None for name in last if name not in asked and found.get(name) is not None}
    for name, value in asked.items():
        there = found.get(name)
        if isinstance(value, dict):
            if name == "kustomizations":
                inner = _kustomizations(value, _mapping(last.get(name)), _mapping(there))
            else:
                inner = difference(value, _mapping(last.get(name)), _mapping(there))
            if inner:
                patch[name] = inner
        elif not _is_same(name, value, there):
            patch[name] = value
    return patch


def _kustomizations(asked: Json, last: Json, found: Json) -> Json:
    """One that is missing is written whole, though all of it may be as by default."""
    patch = difference(asked, last, found)
    return patch | {name: body for name, body in asked.items() if found.get(name) is None}


def _is_same(name: str, asked: Any, found: Any) -> bool:
    if found is None:
        found = _DEFAULTS.get(name)
    if asked is None or found is None:
        return asked in (None, "", []) and found in (None, "", [])
    if isinstance(asked, list):
        return isinstance(found, list) and _is_same_list(asked, found)
    if isinstance(asked, str) and isinstance(found, str):
        return _spelling(name, asked) == _spelling(name, found)
    return bool(asked == found)


def _is_same_list(asked: list[Any], found: list[Any]) -> bool:
    """Of names the order means nothing; of objects it does."""
    if all(isinstance(item, str) for item in asked):
        return sorted(asked) == sorted(map(str, found))
    return len(asked) == len(found) and not any(difference(one, _NOTHING, _mapping(other)) for one, other in zip(asked, found, strict=True))


def _spelling(name: str, text: str) -> str:
    if name == "path":
        path = text.strip("/").removeprefix("./")
        return "" if path == "." else path
    return text.lower() if name in _NAMES or text.lower() in ("true", "false") else text


def _mapping(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
