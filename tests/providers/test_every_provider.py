"""What holds for every provider. A new one is covered as soon as its file exists."""

from __future__ import annotations

import asyncio
import sys
from io import BytesIO

import pytest

import providers
from monitor.errors import MonitorError, SettingsError, UsageError
from monitor.model import File, Partial, Release, Reply
from spiders.walk import walk

QUESTIONS = {
    "feed": lambda feed: feed.since(None),
    "index": lambda index: index.all(),
    "versions": lambda versions: versions.of("example"),
}
NONSENSE = [b"", b"<html>Sorry</html>", b"[]", b"null", b'{"message": "slow down"}', b"\xff\xfe"]
# What a repository without anything says; the spider has seen git end well.
EMPTY = {"git": [b""], "github": [b"[]"]}
SAMPLES = {"rsync": {"url": "rsync://upstream.example/m/"}, "github": {}, "git": {}}
PROJECTS = {
    "git": "https://upstream.example/example.git",
    "github": "owner/name",
    "folder": "https://upstream.example/",
}


def sample(name, **settings):
    """The provider with its defaults, and an address of nowhere where it must have one."""
    for setting in providers.settings_of(name):
        if setting.required and setting.name not in settings:
            settings[setting.name] = SAMPLES.get(name, {}).get("url", "https://upstream.example/x")
    return providers.load(name, **settings)


def mechanisms() -> list:
    return list(_mechanisms())


def _mechanisms():
    for name in providers.names():
        for kind, question in QUESTIONS.items():
            if mechanism := getattr(sample(name), kind):
                if kind == "versions" and name in PROJECTS:
                    request = mechanism.of(PROJECTS[name])
                else:
                    request = question(mechanism)
                for body in NONSENSE:
                    if body not in EMPTY.get(name, []):
                        yield pytest.param(request, mechanism, body, id=f"{name} {kind} {body!r}")


@pytest.mark.parametrize("name", providers.names())
def test_its_docstring_lists_what_it_can_answer(name):
    provider = sample(name)
    doc = sys.modules[f"providers.{name}"].__doc__ or ""

    assert {kind for kind in QUESTIONS if f"\n{kind.title()} " in doc} == {
        kind for kind in QUESTIONS if getattr(provider, kind)
    }


@pytest.mark.parametrize("name", providers.names())
def test_its_docstring_explains_every_setting_and_no_other(name):
    doc = sys.modules[f"providers.{name}"].__doc__ or ""
    told = providers._told(doc)

    assert set(told) == {setting.name for setting in providers.settings_of(name)}
    assert all(setting.doc for setting in providers.settings_of(name))


@pytest.mark.parametrize("name", providers.names())
def test_it_is_called_as_its_module_and_its_constants_say_what_it_says(name):
    provider = sample(name)

    assert provider.name == name
    assert providers._facts()[name].purl == provider.purl
    assert len(providers._facts()[name].urls) == len(provider.urls)
    assert provider.pace > 0


@pytest.mark.parametrize("name", providers.names())
def test_one_spelling_of_a_name_is_its_own_spelling(name):
    normalise = sample(name).normalise

    for project in ("Example", "zope.interface", "owner/Name", "https://up.example/A.git/"):
        assert normalise(normalise(project)) == normalise(project)


@pytest.mark.parametrize(("question", "mechanism", "body"), mechanisms())
def test_nonsense_yields_nothing_but_an_error_that_names_the_address(question, mechanism, body):
    found, error = asyncio.run(outcome(question, mechanism.read, Saying(body)))

    assert [finding for finding in found if not isinstance(finding, Partial)] == []
    assert error is not None
    assert question.url.partition("?")[0] in str(error)


def traits() -> list:
    return list(_traits())


def _traits():
    """What each provider asks of one release, with an attested file, and who reads the answers."""
    file = File("https://up.example/x-1.0.tgz", kind="source", provenance="https://up.example/p")
    for name in providers.names():
        if mechanism := sample(name).traits:
            project = PROJECTS.get(name, "example")
            for request in mechanism.of(Release(project, "1.0", files=(file,), tag="v1.0")):
                for body in (*NONSENSE, b'{"info": 1, "version": 1, "html_url": 1, "author": 1}'):
                    # A document may say nothing of what we ask for, and then nothing is said.
                    if "releases/tags" in request.url and body == NONSENSE[4]:
                        continue
                    yield pytest.param(request, mechanism, body, id=f"{request.url} {body!r}")


@pytest.mark.parametrize(("question", "mechanism", "body"), traits())
def test_E08_nonsense_says_nothing_of_a_release_and_is_an_error(question, mechanism, body):
    found, error = asyncio.run(outcome(question, mechanism.read, Saying(body)))

    assert found == []
    assert error is not None
    assert question.url in str(error)


@pytest.mark.parametrize("name", providers.names())
def test_its_docstring_says_whether_releases_are_asked_what_they_say_of_themselves(name):
    doc = sys.modules[f"providers.{name}"].__doc__ or ""

    assert ("\nTraits " in doc) is (sample(name).traits is not None)


@pytest.mark.parametrize(("question", "mechanism", "body"), mechanisms())
def test_nonsense_yields_no_row_in_bulk_either(question, mechanism, body):
    if not hasattr(mechanism, "bulk"):
        return
    with pytest.raises(Exception):  # noqa: B017 (the walk knows them all)
        list(mechanism.bulk(Reply(question, BytesIO(body))))


def test_unknown_providers_and_settings_are_answered_with_the_nearest():
    with pytest.raises(UsageError, match="pypi"):
        providers.load("pipy")
    with pytest.raises(SettingsError, match="did you mean url"):
        providers.load("pypi", ulr="https://up.example")
    with pytest.raises(SettingsError, match="rsync: url"):
        providers.load("rsync")
    with pytest.raises(SettingsError, match="rsync://"):
        providers.load("rsync", url="https://up.example")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://crates.io/crates/serde", ("crates", "serde")),
        ("https://docs.rs/serde/1.0.0/serde/", ("crates", "serde")),
        ("https://rubygems.org/gems/rails/versions/7.1.3", ("rubygems", "rails")),
        ("https://github.com/owner/name", ("github", "owner/name")),
        ("https://github.com/owner/name.js/releases/tag/v1", ("github", "owner/name.js")),
        ("git+https://github.com/owner/name.git", ("github", "owner/name")),
        ("https://ftp.gnu.org/gnu/bash/bash-5.0.tar.gz", ("gnu", "bash")),
        ("https://up.example/x.git", ("git", "https://up.example/x.git")),
        ("rsync://up.example/m/x", ("rsync", "rsync://up.example/m/x")),
    ],
)
def test_an_address_finds_its_provider_the_special_before_the_general(url, found):
    assert providers.find(url)[0] == found


def test_an_address_of_the_python_index_finds_it_wherever_that_lives():
    from monitor.homes import home_of

    home = home_of("pkg:pypi/pip")

    assert providers.find(f"{home}/project/Zope.Interface/7.2/") == [("pypi", "Zope.Interface")]
    assert providers.find(f"{home}.evil.example/project/x/") == []


def test_an_address_of_nobody_finds_nothing():
    assert providers.find("https://up.example/") == []
    assert providers.find("") == []


def test_a_purl_type_finds_its_providers():
    assert providers.for_purl("pypi") == ("pypi",)
    assert providers.for_purl("cargo") == ("crates",)
    assert "git" in providers.for_purl("generic")
    assert providers.for_purl("nothing") == ()


def test_finding_an_address_imports_no_provider_and_no_heavy_library():
    import subprocess

    code = (
        "import sys, providers; providers.find('https://crates.io/crates/x'); providers.names();"
        "print([m for m in sys.modules if m.startswith('providers.')"
        " or m in ('lxml', 'scrapy', 'msgspec', 'fastfeedparser', 'asyncio')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


class Saying:
    """A transport whose upstream says the same to everyone."""

    def __init__(self, body):
        self.body = body

    async def fetch(self, request):
        return Reply(request, BytesIO(self.body))


async def outcome(question, read, transport):
    """What a walk found before it ended, and the error that ended it, if any."""
    found = []
    try:
        # The same page by page, without the crawl that would carry a tree.
        async for finding in walk(question, read, transport):
            found.append(finding)
    except MonitorError as error:
        return found, error
    return found, None
