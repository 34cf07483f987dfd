"""Values that differ from cluster to cluster."""

import re

import pytest
from builders import a_cluster, a_flux_configuration
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.templates import NAME_PATTERN, Unfilled, fill, parse_template

BERLIN = a_flux_configuration(1, tags={"Site": "berlin", "empty": "", "a.b/c d": "odd", "ring": "prod"}, distribution="")


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", ""),
        ("fixed", "fixed"),
        ("{cluster}", "cluster-001"),
        ("{clusterId}", "/subscriptions/sub-1/resourcegroups/edge/providers/microsoft.kubernetes/connectedclusters/cluster-001"),
        ("{location}", "westeurope"),
        ("{resourceGroup}/{subscription}", "edge/sub-1"),
        ("{kubernetesVersion}", "1.31.2"),
        ("{tags.site}", "berlin"),
        ("{tags.SITE:none}", "berlin"),
        ("{tags.empty}", ""),
        ("{tags.empty:none}", ""),
        ("{tags.a.b/c d}", "odd"),
        ("{tags.till:none}", "none"),
        ("{tags.till:}", ""),
        ("{tags.till:a:b}", "a:b"),
        ("{distribution:unknown}", "unknown"),
        ("{{{cluster}}}", "{cluster-001}"),
        ("{{cluster}}", "{cluster}"),
        ("}}{{", "}{"),
        ("$x ${{y}} ü", "$x ${y} ü"),
    ],
)
def test_a_template_is_filled_for_a_cluster(template: str, expected: str) -> None:
    assert fill(parse_template(template), BERLIN) == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{tags.till}", "the cluster has no tags.till"),
        ("{distribution}", "the cluster has no distribution"),
        ("{tags.hostile}", "it would hold characters that cannot be printed"),
        ("{tags.long}{tags.long}{tags.long}", "it would be longer than 1024 characters"),
    ],
)
def test_what_has_no_value_says_why_without_what_the_tags_hold(template: str, reason: str) -> None:
    item = a_flux_configuration(1, tags={"hostile": "a\nb: c", "long": "x" * 500}, distribution="")
    with pytest.raises(Unfilled) as unfilled:
        fill(parse_template(template), item)
    assert str(unfilled.value) == reason


@pytest.mark.parametrize("hostile", ["\n", "\r", "\0", "\t", "\x7f", "\x85", "\u2028", "\u2029", "\u202e", "\ud800", "\u00a0"])
def test_a_tag_brings_no_character_that_cannot_be_printed(hostile: str) -> None:
    item = a_flux_configuration(1, tags={"site": f"a{hostile}b"})
    with pytest.raises(Unfilled):
        fill(parse_template("{tags.site}"), item)


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{", "a brace at character 1 has no other end"),
        ("ab}", "a brace at character 3 has no other end"),
        ("{cluster", "a brace at character 1"),
        ("{{cluster}", "a brace at character 10"),
        ("{tags.{cluster}}", "a brace at character 1"),
        ("{}", "there is no field {}"),
        ("{ cluster}", "there is no field { cluster}"),
        ("{Cluster}", "there is no field {Cluster}"),
        ("{tags}", "there is no field {tags}"),
        ("{tags.}", "there is no field {tags.}"),
        ("{tags.:x}", "there is no field {tags.}"),
        ("{name}", "there is no field {name}; there are cluster, clusterId, location"),
        ("a\nb", "a value is one line"),
        ("x" * 1025, "a value is one line of at most 1024 characters"),
    ],
)
def test_a_template_that_is_not_one_is_refused(template: str, reason: str) -> None:
    with pytest.raises(Malformed, match=re.escape(reason)):
        parse_template(template)


@given(st.text(alphabet=st.sampled_from("{}:ab.tagscluster "), max_size=40))
def test_any_text_is_filled_or_refused(text: str) -> None:
    try:
        value = fill(parse_template(text), BERLIN)
    except (Malformed, Unfilled):
        return
    assert value.isprintable()


@given(st.text(st.characters(exclude_characters="{}", categories=["L", "N", "P", "S"]), max_size=100))
def test_plain_text_stays_what_it_is(text: str) -> None:
    assert fill(parse_template(text), BERLIN) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SITE", True),
        ("_a1", True),
        ("a", True),
        ("", False),
        ("1a", False),
        ("a-b", False),
        ("a.b", False),
        ("SITE\n", False),
        ("Ä", False),
    ],
)
def test_names_are_those_that_flux_takes(name: str, expected: bool) -> None:
    assert bool(re.search(NAME_PATTERN, name)) is expected


def test_a_cluster_by_itself_fills_what_its_fluxconfigurations_fill() -> None:
    assert fill(parse_template("{clusterId}"), a_cluster(1)) == fill(parse_template("{clusterId}"), a_flux_configuration(1))
