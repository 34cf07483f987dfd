"""What is wrong in the fleet, and since when."""

from builders import at
from sightings import a_cluster, a_look, a_page, asked, looked, seen

from shared.domain.fleet import Page, Sighting
from shared.domain.lasting import lasting

BAD = Sighting(cluster=a_cluster(1, connectivity="Offline"), configuration=seen(1, compliance="Non-Compliant", message="down"))
WELL = Sighting(cluster=a_cluster(1), configuration=seen(1))


def found(page: Page) -> list[tuple[str, object]]:
    return [(each.kind, each.at) for each in lasting([page])]


def test_it_lasts_since_it_was_found_and_until_it_is_well() -> None:
    page = looked(a_page(WELL), BAD, look=a_look(2, now=at(60)))
    page = looked(page, BAD, look=a_look(3, now=at(360)))
    assert found(page) == [("cluster.offline", at(60)), ("configuration.non-compliant", at(60))]
    assert [(each.cluster, each.configuration, each.reason) for each in lasting([page])] == [
        ("cluster-001", "", "is Offline"),
        ("cluster-001", "platform", "down"),
    ]
    pending = Sighting(cluster=a_cluster(1, connectivity="Connecting"), configuration=seen(1, compliance="Pending"))
    assert found(looked(page, pending, look=a_look(4, now=at(660)))) == found(page), "between two states the last one stands"
    assert found(looked(page, WELL, look=a_look(4, now=at(660)))) == []


def test_what_is_bad_from_the_first_look_lasts_since_then() -> None:
    assert [kind for kind, _ in found(a_page(BAD))] == ["cluster.offline", "configuration.non-compliant"]


def test_drift_lasts_since_it_was_found() -> None:
    drifted = Sighting(cluster=a_cluster(1), configuration=seen(1, commit="", branch="other"))
    page = looked(a_page(WELL), drifted, look=a_look(2, now=at(600), asked={seen(1).id: asked()}))
    assert found(page) == found(looked(page, drifted, look=a_look(3, now=at(900)))) == [("drift.found", at(600))]
    just_written = looked(a_page(WELL), drifted, look=a_look(2, now=at(60), asked={seen(1).id: asked(applied_at=at(0))}))
    assert found(just_written) == [], "it may yet pass by itself"


def test_what_is_not_seen_just_now_is_not_known_to_last() -> None:
    page = looked(a_page(WELL), BAD, look=a_look(2, now=at(60)))
    alone = Sighting(cluster=BAD.cluster)
    assert [kind for kind, _ in found(looked(page, alone, look=a_look(3, now=at(90))))] == ["cluster.offline"]
    assert found(looked(page, look=a_look(3, now=at(90)))) == []
