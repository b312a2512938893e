"""What the specifications say in so many words, and what went wrong elsewhere."""

from __future__ import annotations

from itertools import combinations

import pytest

from monitor.ordering import canonical, compare, is_prerelease, schemes, sort_key, unreadable

# Each line ascends strictly, and each pair in it is tested; `=` joins equal versions.
ASCENDING = {
    "pep440": [
        # the specification's own summary of the order
        "1.dev0 1.0.dev456 1.0a1 1.0a2.dev456 1.0a12.dev456 1.0a12 1.0b1.dev456 1.0b2 "
        "1.0b2.post345.dev456 1.0b2.post345 1.0rc1.dev456 1.0rc1 1.0 1.0+abc.5 1.0+abc.7 1.0+5 "
        "1.0.post456.dev34 1.0.post456 1.0.15 1.1.dev1",
        "2013.10 2014.4 1!1.0 1!2.0 2!0.1",
        "1.0=1.0.0=1=v1.0=01.0 1.0.1",
        "1.1a1=1.1.a1=1.1-alpha_1=1.1A1 1.1rc1=1.1c1=1.1pre1=1.1.PREVIEW.1 1.1-1=1.1.post1=1.1r1",
        "1.9 1.10 1.11",
    ],
    "semver": [
        # rule 11
        "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 "
        "1.0.0-rc.1 1.0.0=1.0.0+build=v1.0.0 2.0.0 2.1.0 2.1.1",
        "1.0.0-0 1.0.0-1 1.0.0-10 1.0.0--1 1.0.0-A 1.0.0-a 1.0.0-a.0 1.0.0-aa",
        "0.2.51=0.2.51+metadata 0.2.52",
    ],
    "gem": [
        # the documentation of Gem::Version
        "1.0.a10 1.0.b1 1.0=1=1.0.0 1.0.1 1.9 1.10",
        "1.8.2.a9 1.8.2.a10 1.8.2.b 1.8.2.rc1 1.8.2=1.8.2.0",
        "1.0.0.beta 1.0.0.beta2 1.0.0.pre.1=1.0-1 1.0.0.rc 1.0.0",
        "1.a=1.0.a 1.a.1 1.b 1",
    ],
    "maven": [
        # the POM reference, "Version Order Specification"
        "1-alpha 1-beta 1-milestone 1-rc=1-cr 1-snapshot 1=1-ga=1-final=1.0=1.0.0=1-release 1-sp "
        "1-abc 1-1",
        "1-alpha-1=1alpha1=1-a1 1-alpha-2 1-beta-1=1-b1 1-milestone-1=1-m1",
        "1-foo2 1-foo10 1-1.foo-bar1baz-.1=1-1.foo-bar-1-baz-0.1 1.1",
        "1.foo=1-foo 1-1 1.1",
        "2.0.1-xyz 2.0.1-123 2.0.1.1",
        "1.0-SNAPSHOT 1.0 1.0.1-SNAPSHOT 1.0.1",
        "1.0.RC2 1.0-RC3 1.0.1",
        "3.6.0.Beta1 3.6.0.CR1 3.6.0.Final=3.6.0",
        "r09 11.0.2 33.5.0-jre",  # not as text, as deployed search indexes have it
    ],
    "debian": [
        # policy 5.6.12
        "1.0~~ 1.0~~a 1.0~ 1.0~beta1~svn1245 1.0~beta1 1.0~rc1 1.0=1.0-0=0:1.0=1.00 1.0a 1.0+dfsg",
        "1.0-1~bpo11+1 1.0-1 1.0-1+b1 1.0-1+deb12u1 1.0-1.1 1.0-2 1:0.1",
        "1.9 1.10 1.10a 1.10+ 1.10.1",
        "1.2 1.2+really1.1 1.3",
        "0.9.8z 0.9.8za 0.9.8zh",
    ],
    "rpm": [
        # rpm-version(7)
        "1.0~rc1 1.0~rc1^git1 1.0~rc2 1.0=1_0=1.00=1..0=0:1.0 1.0^git1~pre 1.0^git1 1.0^git2 1.0a "
        "1.0.1",
        "5.5p1 5.5p2 5.5p10 5.6p1",
        "xyz.4 8 2:0.1",
        "1.0 1.0-1~a 1.0-1 1.0-1.fc40 1.0-2 1.1",
        "2.50 2.051",
        "fc4 2a 2.0",
    ],
    "pvp": ["0.9 1 1.0 1.0.0 1.0.1 1.1 1.9 1.10 2"],
    "cpan": [
        # version.pm's documentation, and the history of a distribution that changed its ways
        "1.002=v1.2.0 1.002003=v1.2.3 1.1=1.10=v1.100 1.9=v1.900 1.99999=v1.999.990 2",
        "2.013004=v2.13.4 2.13 v3.0=3 v3.0.1",
        "1.23 1.23_01=1.2301 1.24",
        "1.101580-TRIAL=1.101580 1.101590",
        ".5=0.5 1.=1 1.5.0 1.5",
    ],
    "r": [
        "0.9.3 1.0 1.0-0=1.0.0 1.0-1 1.2-9 1.2-10=1.2.10 1.2.10.1",
        "0.999375-49 0.999999-2",
    ],
    "composer": [
        "dev-main 1.0-dev 1.0.0-alpha1=1.0a1 1.0.0-alpha2 1.0-beta 1.0-beta2=1.0b2 1.0-RC1 "
        "1.0=v1.0.0=1.0.0.0=1.0-stable=1.0+build 1.0-patch1=1.0p1=1.0-pl1 1.0.1",
        "1.9 1.10 1.10.x-dev 1.11 1.x-dev 2.0",
        "2010-01-01 2010.01.01=2010.1.1.0 2010-01-02 20100101",
    ],
    "alpine": [
        # the rules of apk-package(5), each with its neighbours
        "1.0_alpha_pre2 1.0_alpha 1.0_alpha2 1.0_beta 1.0_pre 1.0_rc1 1.0_rc1_p1 1.0 1.0-r0 1.0-r1 "
        "1.0-r10 1.0~abc 1.0_cvs 1.0_svn 1.0_git 1.0_hg 1.0_p1 1.0_p10 1.0a 1.0b 1.0.1",
        "1.0_alpha 1.0_alpha2_alpha1 1.0_alpha2 1.0_alpha2-r1 1.0_alpha2_p1",
        "0.9 1.0 1.00 1.01 1.010 1.02 1.1 1.9 1.10",
        "1.0_pre20191002222144-r0 1.0_pre20210530193627-r0",
        "013=13 014-r1 20060512",
    ],
    "go": [
        "v0.0.0-20190101120000-abcdef123456 v0.0.0-20240613120000-0123456789ab v0.0.0=v0=v0.0",
        "v1.2.3-pre v1.2.3-pre.0.20240101120000-abcdef123456 v1.2.3 "
        "v1.2.4-0.20240101120000-abcdef123456 v1.2.4",
        "v1.9.1 v1.10.0 v2.0.0=v2.0.0+incompatible",
    ],
    "nuget": [
        "1.0.0-alpha=1.0.0-ALPHA 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 "
        "1.0.0-beta.11 1.0.0-rc.1 1.0=1=1.0.0=1.0.0.0=1.0.0+build=1.00.0 1.0.0.1-pre 1.0.0.1 1.0.1",
    ],
    "calver": [
        "2021.12.17 24.04=2024.04=2024.4=202404 24.04.1 24.10 2025.1.0b1 2025.1.0rc2 2025.1.0",
        "20240115=2024-01-15=2024.1.15 20240115.1 2024.1.16",
        "6.06 6.10 7.04 10.04",
        "20240115T101500Z 20240115T101501Z",
    ],
    "kernel": [
        "2.1.132pre3 2.1.132 2.6.0-test1 2.6.0-test11 2.6.0 2.6.39-rc7 2.6.39=2.6.39.0 2.6.39.4 "
        "3.0-rc1=3.0.0-rc1 3.0=3.0.0 3.0.1 6.9 6.10-rc1 6.10",
        "2.3.99-pre9 2.4.0-test1 2.4.0-test13 2.4.0",
        "0.99pl13 0.99pl15 0.99pl15j 1.0",
    ],
    "drupal": [
        "6.x-2.0 7.x-1.0-alpha1 7.x-1.0-beta2 7.x-1.0-rc1 7.x-1.0 7.x-1.1 7.x-1.x-dev 7.x-4.0 "
        "8.x-1.0 8.x-3.5 4.0.0-alpha1 4.0.0",
        "7.103 8.0.0-beta16 8.0.0-rc1 8.0.0 9.5.11 10.4.0 10.4.x-dev 11.0.0",
        "2.0.0-unstable1 2.0.0-alpha1 2.0.0",
    ],
    "gnome": ["3.37.90 3.38.0 3.38.1 40.alpha 40.beta 40.rc 40.0 40.1 47.2 48.alpha"],
    "generic": [
        # libversion's own table and its README
        "1.0alpha1=1.0.alpha1=1.0a1=1.0.a1=1.0ALPHA1 1.0alpha2 1.0beta1 1.0rc1 1.0=1=1.0.0=1_0 "
        "1.0patch1=1.0.post1=1.0pl1 1.0.1 1.0a 1.0b 1.1 1.2",
        "0.9 1.001=1.1 1.2~3=1.2.3 1.3",
        "1.0alpha-1 1.0 1.0a-1",
        "1.2 1.2a 1.2b 1.3",
        "1.1.1 1.1.1a 1.1.1w",
        "9e 9f 10",
        "1.0git5 1.0",
    ],
}

LINES = [(scheme, line) for scheme, lines in ASCENDING.items() for line in lines]


@pytest.mark.parametrize(("scheme", "line"), LINES, ids=[f"{s}: {line}" for s, line in LINES])
def test_versions_ascend_as_their_scheme_says(scheme: str, line: str) -> None:
    groups = [group.split("=") for group in line.split()]
    for group in groups:
        for version in group:
            assert unreadable(scheme, version) is None
            assert compare(scheme, group[0], version) == 0, version
    for lower, higher in combinations(groups, 2):
        assert compare(scheme, lower[0], higher[-1]) == -1, (lower, higher)


def test_every_scheme_has_its_lines() -> None:
    assert set(ASCENDING) == set(schemes())


# Faults C05 and C06: leaks and false alarms, for each scheme by its own rule.
PRERELEASES = {
    "pep440": "1.0a1 1.0b2 1.0rc1 1.0.dev3 1.0.post1.dev2 1.0-alpha 1.0c1 1!2.0rc1+x",
    "semver": "2.0.0-rc1 1.0.0-alpha 1.0.0-0 1.0.0-M3+x 1.0.0-final",
    "gem": "1.0.a 3.0.0.beta2 1.0.rc1 1.0-1 2.0.0.final",
    "maven": "2.0-M3 2.0.Beta1 4.0.0.CR2 1.0-alpha-1 1.0-SNAPSHOT 5.0.0.RC4 1.0-rc 1b2 3.0-beta",
    "debian": "1.0~rc1-1 1:2.0~beta2+dfsg-1 1.0~git20240101-1 2.14.0~1.git7a25a0f-1",
    "rpm": "1.0~rc1-1 1.0~beta",
    "cpan": "1.23_01 1.101580-TRIAL v1.2.3_4 1.0-TRIAL2",
    "composer": "v2.0.0-BETA1 1.0-RC3 1.0-alpha 1.0.x-dev dev-master 1.0-dev 1.0b2 1.0a",
    "alpine": "1.0_alpha 1.0_beta3-r1 1.0_pre1 1.0_rc2_p1",
    "go": "v1.0.0-rc.1 v0.0.0-20240613120000-0123456789ab v3.2.0-beta2+incompatible",
    "nuget": "2.0.0-Beta 8.0.0-rc.2.23479.6 1.0.0.1-pre",
    "calver": "2024.1.0b2 2024.2.0rc1 24.04-beta",
    "kernel": "6.12-rc7 2.6.0-test11 2.1.132pre3 2.5.75 1.3.100",
    "drupal": "7.x-2.0-alpha3 8.x-1.x-dev 11.0.0-rc1 2.0.x-dev 8.x-2.0-unstable4",
    "gnome": "3.37.90 2.83.0 40.alpha 45.rc 3.99.5 3.4.92",
    "generic": "2.0rc1 2.0-M3 2.0.Beta 1.0-SNAPSHOT 1.0a1 1.0b2 1.0.dev5 9.21.2-dev 1.0-pre2 "
    "1.0-git20240101 1.0-nightly 23-ea 1.0-alpha 1.0_preview3 2.0-canary.1 1.0-unstable",
}
RELEASES = {
    "pep440": "1.0 1.0.post1 1.0+local 1!2.0 1.0-1 2024.1",
    "semver": "1.0.0 1.0.0+beta.1 v2.0.0",
    "gem": "1.0 1.11.0.20200512",
    "maven": "1.0-final 1.0.RELEASE 1.0-ga 1.0-sp-1 33.3.1-jre 3.1.0.GA 1.8-jdk6 9.4.56.v20240826 "
    "2.5.6.SEC03 1.0-a 1.0.m",
    "debian": "1.0-1 1.0~dfsg-1 1.0-1~bpo12+1 3.0.15-1~deb12u1 1.0+really0.9-1 1.0-1~exp1 "
    "1.0~ds1-1",
    "rpm": "1.0-1 1.0^git1-1 1.0rc1-1 1.0-0.1~x",
    "cpan": "1.10 v5.39.1 2.013004",
    "composer": "1.0 1.0-p1 1.0-stable 1.0pl3 1.0.0-patch1 20100102",
    "alpine": "1.0 1.0-r1 1.0_p1 1.0_git20240101 1.0b-r1",
    "go": "v1.0.0 v2.0.0+incompatible v1",
    "nuget": "1.0 1.0.0.1 1.2.3+beta",
    "calver": "2024.01.15 20240115 24.04.1 2024.10.post1",
    "kernel": "6.12 6.11.9 2.6.39 2.6.32.71 3.1 5.5 2.4.37.11 1.0",
    "drupal": "7.x-1.0 10.3.9 7.103 8.x-1.12",
    "gnome": "3.38.1 40.0 41.3 47.1 2.82.2",
    "generic": "1.0-final 1.0.RELEASE 1.0.post1 1.0p1 1.1.1w 9.10.3-P4 5.5p10 2024a 1.0-1 9e "
    "4.0.GA b8117",
}


@pytest.mark.parametrize(
    ("scheme", "version", "expected"),
    [
        (scheme, version, expected)
        for table, expected in ((PRERELEASES, True), (RELEASES, False))
        for scheme, listed in table.items()
        for version in listed.split()
    ],
)
def test_C05_C06_a_pre_release_is_one_by_the_scheme_s_own_rule(
    scheme: str, version: str, expected: bool
) -> None:
    assert unreadable(scheme, version) is None
    assert is_prerelease(scheme, version) is expected


@pytest.mark.parametrize("scheme", ["pvp", "r"])
def test_schemes_without_pre_releases_have_no_opinion(scheme: str) -> None:
    assert is_prerelease(scheme, "1.2.9000") is None


@pytest.mark.parametrize("scheme", schemes())
@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("", "it is empty"),
        ("1." + "0" * 299, "it has 301 characters, more than 256"),
        (".".join(["1"] * 10_000), "it has 19999 characters, more than 256"),
        ("1.0\n", "control character U+000A at place 4"),
        ("1.0\x1b[31m", "control character U+001B at place 4"),
        ("1\x000", "control character U+0000 at place 2"),
        ("1.\uff10", "digit U+FF10 at place 3 is not one of 0 to 9"),
        ("1.\u0663", "digit U+0663 at place 3 is not one of 0 to 9"),
        ("1.0\u200b", "invisible character U+200B at place 4"),
        ("\u202e0.1", "invisible character U+202E at place 1"),
        ("1.0\ud800", "invisible character U+D800 at place 4"),
        ("1.0-\u0430lpha", "character U+0430 at place 5 is not ASCII"),
    ],
)
def test_b07_b08_C09_no_scheme_reads_what_hides_or_never_ends(
    scheme: str, version: str, reason: str
) -> None:
    assert unreadable(scheme, version) == reason
    assert sort_key(scheme, version) < sort_key(scheme, "v0" if scheme == "go" else "0.0.0")
    assert canonical(scheme, version) == version
    assert is_prerelease(scheme, version) is None


# Maven reads any text, and the generic order and RPM's much of it.
@pytest.mark.parametrize("scheme", sorted(set(schemes()) - {"maven"}))
def test_C08_what_is_not_valid_is_named_and_sorts_below_all_that_is(scheme: str) -> None:
    low = "v0.0.0-0" if scheme == "go" else "0.0.0"
    assert unreadable(scheme, low) is None
    for version in ("foo!bar", "", "@", "…"):
        assert unreadable(scheme, version)
        assert compare(scheme, version, low) == -1
        assert sort_key(scheme, version).startswith(b"\x00")


def test_unreadable_keys_stay_small_and_apart() -> None:
    first, second = ("x" * 100_000 + end for end in "ab")
    assert len(sort_key("semver", first)) < 300
    assert sort_key("semver", first) != sort_key("semver", second)


# What deployed comparators answered (libraries.md 2.5, upstreams.md 3): each was a wrong "latest".
PEERS = [
    ("generic", "1.0rc1", "1.0", "a comparison of strings has the candidate newer"),
    ("generic", "0.2", "0.10", "IntdotVersion has 0.2 newer than 0.10"),
    ("pvp", "0.1", "0.1.0", "IntdotVersion crashes on it"),
    ("maven", "1.0-rc1", "1.0.RELEASE", "univers has RELEASE an unknown word"),
    ("maven", "2.0.a", "2-1", "univers has the word above the number"),
    ("cpan", "1.10", "1.9", "dotted comparators have 1.10 newer; it is 1.100"),
    ("cpan", "1.04", "1.3", "dotted comparators have 4 newer than 3"),
    ("debian", "1.0~rc1", "1.0", "text comparison has the tilde newer"),
    ("gem", "1.0.0.rc1", "1.0.0", "longer is not newer"),
    ("semver", "1.0.0-beta.2", "1.0.0-beta.11", "text comparison has 2 newer than 11"),
    ("alpine", "1.0_rc1", "1.0", "longer is not newer"),
    ("composer", "dev-master", "0.1", "a branch was reported as the latest"),
    ("kernel", "6.12-rc7", "6.12", "longer is not newer"),
]


@pytest.mark.parametrize(("scheme", "older", "newer", "wrong"), PEERS, ids=[p[3] for p in PEERS])
def test_we_do_not_repeat_the_wrong_answers_of_others(
    scheme: str, older: str, newer: str, wrong: str
) -> None:
    assert compare(scheme, older, newer) == -1


def test_maven_reads_release_ga_and_final_as_nothing() -> None:
    assert {compare("maven", "1.0", f"1.0.{word}") for word in ("RELEASE", "GA", "Final")} == {0}


CANONICAL = [
    ("pep440", "v1.0-RC.1", "1.0rc1"),
    ("pep440", "01.0-r4+Ubuntu_01", "1.0.post4+ubuntu.1"),
    ("pep440", "1.10", "1.10"),
    ("pep440", "1e3", "1e3"),  # not readable: as it stands (B12)
    ("semver", "v1.2.3-rc.1+b", "1.2.3-rc.1+b"),
    ("gem", "1.0-x", "1.0.pre.x"),
    ("maven", "1.0.0-RC1", "1-rc-1"),
    ("cpan", "1.10", "v1.100.0"),
    ("r", "1.02-3", "1.2.3"),
    ("composer", "v1.0-b2", "1.0.0.0-beta2"),
    ("composer", "1.x-dev", "1.9999999.9999999.9999999-dev"),
    ("go", "v1.2+incompatible", "v1.2+incompatible"),
    ("go", "v1", "v1.0.0"),
    ("go", "v2.0.0+incompatible", "v2.0.0+incompatible"),
    ("go", "v2.0.0+meta", "v2.0.0"),
    ("nuget", "1.01.0.0+build", "1.1.0"),
    ("calver", "20240115-rc1", "2024.01.15-rc1"),
    ("generic", "1.0.0", "1.0.0"),
]


@pytest.mark.parametrize(("scheme", "version", "form"), CANONICAL)
def test_the_canonical_form_is_the_scheme_s_or_the_version_itself(
    scheme: str, version: str, form: str
) -> None:
    assert canonical(scheme, version) == form


NUMBERED = "pep440 gem maven debian rpm pvp r composer nuget calver kernel drupal gnome generic"


@pytest.mark.parametrize("scheme", NUMBERED.split())
def test_C07_a_leading_zero_or_a_second_digit_does_not_fool_the_order(scheme: str) -> None:
    assert compare(scheme, "1.04", "1.3") == 1
    assert compare(scheme, "1.10", "1.9") == 1
    assert compare(scheme, "1.01", "1.1") == 0


@pytest.mark.parametrize(
    ("scheme", "sign"), [("pep440", 0), ("gem", 0), ("generic", 0), ("debian", 1), ("rpm", 1)]
)
def test_C07_a_missing_number_is_nought_only_where_the_scheme_says_so(
    scheme: str, sign: int
) -> None:
    assert compare(scheme, "1.0", "1") == sign
    assert compare(scheme, "1", "1.0") == -sign
