"""Writes by others."""

from datetime import timedelta

from builders import NOW, resource_id
from msgspec.structs import replace

from shared.domain.foreign_writes import ForeignWrite, foreign_write_id

WRITE = ForeignWrite(
    configuration_id=resource_id(0), subscription="s", operation="write", caller="zoe@contoso.example", at=NOW, event_id="b"
)


def test_the_newest_is_the_same_in_whatever_order_they_come() -> None:
    assert WRITE.is_newer(None)
    assert not WRITE.is_newer(WRITE)
    for later in (replace(WRITE, at=NOW + timedelta(seconds=1), event_id="a"), replace(WRITE, event_id="c")):
        assert later.is_newer(WRITE)
        assert not WRITE.is_newer(later)


def test_a_configuration_is_one_whatever_its_case() -> None:
    assert foreign_write_id(resource_id(0).upper()) == foreign_write_id(resource_id(0)) != foreign_write_id(resource_id(1))
