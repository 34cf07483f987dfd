"""What is asked of a resource that is there already, and the patch that it needs."""

from typing import Any

from shared.domain.baselines import SOURCES, Piece
from shared.domain.cluster_resources import Found
from shared.domain.differences import difference
from shared.domain.onboarding_progress import Made

Json = dict[str, Any]

#: A PATCH cannot change these (azure-rest-api-specs, FluxConfigurationPatch, 2025-04-01).
_CREATE_ONLY = ("scope", "namespace")
#: A reference is written whole, so that nothing of a former one takes precedence.
_REFERENCES: dict[str, Json] = {
    "GitRepository": dict.fromkeys(("branch", "tag", "semver", "commit")),
    "OCIRepository": dict.fromkeys(("tag", "semver", "digest")),
}


def patch(piece: Piece, known: Made | None, found: Found) -> Json:
    """The merge patch to what the piece wants; {} where nothing differs. `known` is what was asked of it last."""
    return difference(asked(piece, known, found), _last(known) if known else {}, found.properties)


def asked(piece: Piece, known: Made | None, found: Found) -> Json:
    """What a PATCH may ask.

    The reference is the rollouts' once it is written: it is asked for again only when the baseline names another one, or another
    source. A suspension is taken back where it was ours.
    """
    properties = {name: value for name, value in piece.properties.items() if name not in _CREATE_ONLY}
    if piece.kind == "extension":
        return properties
    if known and known.suspended:
        properties["suspend"] = False
    kind = str(properties["sourceKind"])
    source = dict(properties[SOURCES[kind]])
    reference = source.pop("repositoryRef", None)
    if reference is not None and not _keeps_reference(SOURCES[kind], reference, source, known, found):
        source["repositoryRef"] = _REFERENCES[kind] | reference
    others = {name: None for other, name in SOURCES.items() if other != kind}
    return {**properties, **others, SOURCES[kind]: source}


def _last(known: Made) -> Json:
    """What was asked last, without what is not taken away by no longer being asked: what a PATCH cannot say, and the reference."""
    properties = {name: value for name, value in known.properties.items() if name not in _CREATE_ONLY}
    sources = {name: {n: v for n, v in properties[name].items() if n != "repositoryRef"} for name in SOURCES.values() if name in properties}
    return properties | sources


def unchangeable(piece: Piece, found: Found) -> str:
    """Why the resource cannot become what is wanted by any PATCH; "" where it can."""
    if piece.kind == "extension":
        return ""
    fixed = {name: piece.properties[name] for name in _CREATE_ONLY}
    wrong = difference(fixed, {}, found.properties)
    told = ", ".join(f"{name} is {found.properties.get(name) or 'as by default'} and not {value}" for name, value in wrong.items())
    return f"{told}: Azure cannot change that; delete the fluxConfiguration, and it is made anew" if told else ""


def _keeps_reference(name: str, reference: Json, source: Json, known: Made | None, found: Found) -> bool:
    there = found.properties.get(name) or {}
    if there.get("url") != source["url"] or not any((there.get("repositoryRef") or {}).values()):
        return False
    return known is None or (known.properties.get(name) or {}).get("repositoryRef") == reference
