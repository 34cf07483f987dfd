"""Which repository a URL means."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import Malformed
from shared.domain.sources import canonical_url, search_term, source_id, source_type

PLATFORM = "github.com/contoso/platform"
DEVOPS = "dev.azure.com/contoso/edge/_git/platform"


@pytest.mark.parametrize(
    "spelling",
    [
        "https://github.com/contoso/platform",
        "https://github.com/contoso/platform.git",
        "https://github.com/contoso/platform/",
        "https://github.com//contoso//platform.git/",
        "https://github.com:443/contoso/platform",
        "http://github.com:80/contoso/platform",
        "https://GitHub.com/Contoso/Platform.git",
        "https://github.com/Contoso/Platform.GIT",
        "https://alice:token@github.com/contoso/platform.git",
        "https://github.com/contoso/platform.git?ref=main#readme",
        "https://github.com/con%74oso/platform",
        "  https://github.com/contoso/platform.git\n",
        "ssh://git@github.com/contoso/platform.git",
        "ssh://git@github.com:2222/contoso/platform.git",
        "git+ssh://git@github.com/contoso/platform",
        "git://github.com/contoso/platform.git",
        "git@github.com:contoso/platform.git",
        "git@github.com:/contoso/platform.git",
        "github.com:contoso/platform",
        "github.com/contoso/platform",
    ],
)
def test_every_spelling_of_a_repository_is_one_source(spelling: str) -> None:
    assert canonical_url(spelling) == PLATFORM
    assert source_id(spelling) == source_id(PLATFORM)


@pytest.mark.parametrize(
    "spelling",
    [
        "https://dev.azure.com/contoso/edge/_git/platform",
        "https://contoso@dev.azure.com/contoso/edge/_git/platform",
        "https://contoso.visualstudio.com/edge/_git/platform",
        "https://contoso.visualstudio.com/DefaultCollection/edge/_git/platform",
        "git@ssh.dev.azure.com:v3/contoso/edge/platform",
        "ssh://git@ssh.dev.azure.com/v3/contoso/edge/platform",
        "contoso@vs-ssh.visualstudio.com:v3/contoso/edge/platform",
    ],
)
def test_every_form_of_azure_devops_is_one_source(spelling: str) -> None:
    assert canonical_url(spelling) == DEVOPS


@pytest.mark.parametrize("spelling", ["https://dev.azure.com/contoso/_git/platform", "https://contoso.visualstudio.com/_git/platform"])
def test_a_project_s_repository_of_the_same_name_may_be_written_without_the_project(spelling: str) -> None:
    assert canonical_url(spelling) == "dev.azure.com/contoso/platform/_git/platform"


def test_spaces_in_azure_devops_names_are_the_same_however_they_are_written() -> None:
    assert canonical_url("https://dev.azure.com/contoso/My%20Edge/_git/platform") == "dev.azure.com/contoso/my edge/_git/platform"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://git.contoso.com:8443/platform", "https://git.contoso.com/platform"),
        ("https://git.contoso.com:80/platform", "http://git.contoso.com/platform"),
        ("https://github.com/contoso/platform", "https://github.com/contoso/platform-2"),
        ("https://github.com/contoso/platform", "https://gitlab.com/contoso/platform"),
        ("https://[2001:db8::1]/platform", "https://[2001:db8::2]/platform"),
        ("https://dev.azure.com/contoso/edge/_git/platform", "https://dev.azure.com/contoso/core/_git/platform"),
    ],
)
def test_different_repositories_stay_apart(one: str, other: str) -> None:
    assert source_id(one) != source_id(other)


@pytest.mark.parametrize("spelling", ["https://[2001:DB8::1]:443/contoso/platform.git", "git@[2001:db8::1]:contoso/platform.git"])
def test_an_ipv6_host_is_understood(spelling: str) -> None:
    assert canonical_url(spelling) == "2001:db8::1/contoso/platform"


def test_an_encoded_slash_is_a_slash() -> None:
    assert canonical_url("https://gitlab.com/contoso%2Fedge/platform") == canonical_url("https://gitlab.com/contoso/edge/platform")


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        "   ",
        "https://",
        "https://github.com",
        "https://github.com/",
        "https://github.com/.git",
        "https://github.com/contoso/.git",
        "https:///contoso/platform",
        "file:///etc/passwd",
        "https://github.com:notaport/contoso/platform",
        "https://github.com:99999/contoso/platform",
        "https://[::1/contoso/platform",
        "https://[nonsense]/contoso/platform",
        "git@[::1:contoso/platform",
        "https://exa\u2100mple.com/contoso/platform",
        "git@github.com:",
        ":",
        "://",
    ],
)
def test_what_names_no_repository_is_refused(hostile: str) -> None:
    with pytest.raises(Malformed):
        canonical_url(hostile)


@given(
    st.text()
    | st.text(alphabet="abc:/@.%[]?#v3_gitdevzur2 \n\x00-", max_size=40).map("https://".__add__)
    | st.text("a:/@.[]%", max_size=20)
)
def test_any_text_is_a_source_or_malformed(text: str) -> None:
    try:
        canonical = canonical_url(text)
    except Malformed:
        return
    host, _, path = canonical.partition("/")
    assert host
    assert all(path.split("/"))
    assert canonical == canonical.lower()
    assert search_term(text) in canonical.rsplit("/", 1)[-1]


names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)


@given(names, names, st.sampled_from(["https://{}/{}.git", "git@{}:{}.git", "ssh://git@{}:22/{}"]))
def test_a_canonical_url_is_its_own_canonical_url(owner: str, name: str, spelling: str) -> None:
    canonical = canonical_url(spelling.format("git.example.com", f"{owner}/{name}"))
    assert canonical_url(canonical) == canonical


@pytest.mark.parametrize(
    ("url", "term"),
    [
        ("https://github.com/contoso/Platform.git", "platform"),
        ("https://dev.azure.com/contoso/edge/_git/My%20Platform", "platform"),
        ("https://git.example.com/größe", "gr"),
        ("https://git.example.com/名前", ""),
    ],
)
def test_the_search_term_is_in_every_spelling_of_the_url(url: str, term: str) -> None:
    assert search_term(url) == term
    assert term in url.lower()


ARTIFACT = "contoso.azurecr.io/platform/manifests"


@pytest.mark.parametrize(
    "spelling",
    [
        "oci://contoso.azurecr.io/platform/manifests",
        "OCI://Contoso.azurecr.io:443/platform//manifests/",
        "  oci://contoso.azurecr.io/platform/manifests\n",
    ],
)
def test_every_spelling_of_an_artifact_is_one_source(spelling: str) -> None:
    assert (source_type(spelling), canonical_url(spelling), source_id(spelling)) == ("oci", ARTIFACT, source_id(f"oci://{ARTIFACT}"))
    assert search_term(spelling) == "manifests"


def test_an_artifact_and_a_repository_of_the_same_spelling_are_two_sources() -> None:
    assert canonical_url(f"https://{ARTIFACT}") == canonical_url(f"oci://{ARTIFACT}")
    assert source_id(f"https://{ARTIFACT}") != source_id(f"oci://{ARTIFACT}")
    assert source_type(f"https://{ARTIFACT}") == source_type(ARTIFACT) == "git"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("oci://localhost:5000/manifests", "localhost:5000/manifests"),
        ("oci://registry-1.docker.io/contoso/manifests", "docker.io/contoso/manifests"),
        ("oci://index.docker.io/contoso/manifests", "docker.io/contoso/manifests"),
        ("oci://ghcr.io/contoso/charts.git", "ghcr.io/contoso/charts.git"),
    ],
)
def test_what_a_registry_is_called(url: str, expected: str) -> None:
    assert canonical_url(url) == expected


@pytest.mark.parametrize("url", ["oci://", "oci://host", "oci://host/", "oci://h:x/a", "oci://h/a:v1", f"oci://h/a@sha256:{'a' * 64}"])
def test_what_is_no_artifact_is_refused(url: str) -> None:
    with pytest.raises(Malformed):
        canonical_url(url)
