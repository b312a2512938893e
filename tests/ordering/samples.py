"""Versions to compare: real ones, and near-equal mutations of real ones.

The lists here are versions that the named projects did publish, chosen for their forms. Where
recorded data is at hand (`shared`), its versions are added.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

PAIRS = 20_000

_REAL = {
    # numpy, pip, setuptools, pytz, Django, Twisted, Zope, black, zc.buildout, torch
    "pep440": """
        1.0 1.0.1 1.1.0 1.26.0b1 1.26.0rc1 1.26.4 2.0.0 2.0.0rc2 2.1.0.dev0 0.2.1 6.0.2 10.0.0b2
        19.0 19.0.3 20.3b1 20.3.4 23.3.2 36.0.1 40.0.0.post1 58.3.0 2004b 2013.9 2024.1 2024.2
        1.11a1 1.11rc1 3.2.25 4.2.16 5.0a1 5.1.3 8.0.0 22.10.0rc1 24.7.0 2.7.0a2 2.7.0b3 4.0a6.dev0
        18.3a4 22.12.0 24.4.2 2.0.0.dev1 1.13.1+cpu 2.1.0+cu118 2.1.0+cu121 0.0.0.dev20240101
        1!3.0.1 1!0.9 0.9.post1 0.9.post1.dev2 1.0a1.post2 1.0.0-alpha 1.0.0-beta.2 1.0c1 1.0-1
        v1.2.3 1.0.RC.1 1.0-r4 1.0+ubuntu.1 1.0+ubuntu-1 1.0.0 01.02.03 1.0preview2
    """,
    # react, babel, webpack, typescript, libc (crate), rand, node, eslint, semver, vue
    "semver": """
        0.0.1 0.1.0 0.13.0-beta.1 15.0.0-rc.2 16.0.0-alpha.0 16.14.0 18.0.0-rc.0-next-f2a59df48
        19.0.0-rc-66855b96-20241106 7.0.0-beta.46 7.26.0 5.0.0-beta.0 5.95.0 5.7.0-dev.20241001
        5.6.3 0.2.51 0.2.51+metadata 0.2.164 1.0.0-alpha.1 0.9.0-beta.3 0.8.5 22.11.0 9.0.0-alpha.0
        9.14.0 7.6.3 3.0.0-alpha.10 3.0.0-beta.24 3.0.0-rc.13 3.5.12 1.0.0-0 1.0.0-0.3.7
        1.0.0-x.7.z.92 1.0.0-x-y-z.4 1.0.0+20130313144700 1.0.0-beta+exp.sha.5114f85 v20.1.0
        1.0.0-rc.10 1.0.0-rc.9 1.0.0-rc.1.1 10.0.0 9.9.9 1.0.0+21AF26D3---117B344092BD
        0.0.0-experimental-6362b5c71-20240101 1.2.3----RC-SNAPSHOT.12.9.1--.12
    """,
    # rails, nokogiri, rake, bundler, puma, sidekiq, rspec, jekyll
    "gem": """
        0.9.4.1 1.0.0 1.2.6 2.3.18 3.0.0.beta 3.0.0.beta2 3.0.0.rc 3.0.0.rc2 3.2.22.5 4.0.0.beta1
        5.0.0.beta1.1 5.2.8.1 6.0.0.rc1 6.1.7.10 7.0.0.alpha1 7.0.0.alpha2 7.2.0.beta3 7.2.2 8.0.0
        1.4.4.2 1.5.0.beta.4 1.6.0.rc2 1.11.0.20200512 1.13.0.rc1 1.13.10 0.8.7 0.9.0.beta.5
        10.0.0.beta.1 13.2.1 1.0.0.prerelease.7 2.0.0.pre.3 2.3.0.dev 6.0.0.rc1 4.0.0.pre.alpha0
        3.99.0.beta1 1.0.0-rc1 2.0-x 0 1 1.a 1.0.a10 1.0.a9 1.0.B 1.0.b 1.8.8.1 00.1 1.01.1
    """,
    # guava, spring, hibernate, jetty, netty, junit, log4j, groovy, joda, commons, maven itself
    "maven": """
        r09 11.0.2 33.3.1-jre 33.3.1-android 1.0-rc1 2.0-m4 2.5.6.SEC03 4.3.30.RELEASE 5.0.0.M5
        5.0.0.RC4 6.2.0 3.6.10.Final 4.0.0.Alpha1 4.0.0.Beta5 4.0.0.CR2 5.6.15.Final 6.6.1.Final
        9.4.56.v20240826 10.0.0-alpha0 10.0.0.beta3 11.0.24 3.10.6.Final 4.1.114.Final 5.0.0.Alpha2
        4.13-beta-3 4.13.2 5.0.0-M6 5.11.3 1.2.17 2.0-alpha1 2.0-beta9 2.0-rc2 2.24.1 3.0.0-alpha1
        2.5.0-beta-2 4.0.0-beta-1 1.8-jdk6 20040616 20030203.000550 1.0-SNAPSHOT 3.9.9 4.0.0-beta-5
        4.0.0-rc-1 1.0-ga 1.0.final 1.0-release 1-sp 1.0-sp-1 1.0-alpha-1-SNAPSHOT 2.0.a 2-1 1.x
        1.0.0 1_2 1.0-b02 1.0-20240101.101112-3 2.3.3-jre8-preview 1.1.1.GA 3.1.0.GA 1-0.alpha
    """,
    # from Debian's archive
    "debian": """
        2.36-9+deb12u8 1:9.2p1-2+deb12u3 5.2.15-2+b7 1.34.1-1+b7 0.5.12-2 3.0.15-1~deb12u1 2:4.13
        1:1.2.13.dfsg-1 6.1.119-1 1.0~rc1-1 1.0~beta2+dfsg-3 20230311 20230311+deb12u1 4:12.2.0-3
        1.2+really1.1-1 0~20171227.fab7672-4 0.0~git20210101.abc1234-1 2.0.0~alpha1-1~exp1 1:4.9-1
        3.3a-3 1.1.1n-0+deb11u5 5.36.0-7+deb12u1 2.39.5-0+deb12u1 252.31-1~deb12u1 1.0-1 1.0-0 1.0
        0.9.8zh-1 8.32-4.1 1.5.0+git20200928-1 1.14.10~dfsg-1 12.11 0:1.0 1:0 3.11.2-1+b1 2.0.0-2~~
        0.3.0-2~bpo12+1 102.15.1esr-1 1:2.5.0~pre1-1 2.14.0~1.git7a25a0f-1
    """,
    # from Fedora's and openSUSE's archives
    "rpm": """
        2.36-9.fc39 1:9.2p1-2 5.2.15-5.el9 1.34.1-1 4.18.0-425.el8 0.5.12-2 3.0.15 1.0~rc1-1
        1.0~rc1-0.1 1.0^git20200101-1 1.0^20210501gabcdef-1.fc40 2.0.0~beta.3 6.7.4-200.fc39
        2024a-1 20240101-3 0-0.1.20200101git 1.2.11-40.el9 9.16.23-24.el9_5 3.11.10 21.0.5.0.10-3
        10.0001 1:1.8.0.432.b06-2 2.4.57-11 0.9.8e-40.el5 5.5p1 5.5p10 5.5p2 5.6p1 xyz10 xyz.4
        8.0.rc1 1.0.a 10xyz 10.1xyz fc4 2a 2.0 2.0.1 2_0 1.0aa 1.0~~ 1.0~rc1~git123 1.0~rc1^git1
        1.0^git1~pre 1.0.
    """,
    # boost's, lens', base's and other packages' on Hackage
    "pvp": """
        4.18.2.1 4.20.0.1 0 0.1 0.1.0 0.1.0.0 1.0 1.0.0 2.2.5.0 5.3.2 0.12.3.1 1.24.0.0
        0.0.0.20240101 3.12.1.0 1.2.3.4.5 20130112 0.2014.4.9 1.10 1.9 2.0.30.5 9.8.2 0.6.0.0.1
        1.0.2.1
    """,
    # Moose, DBI, perl itself, Test-Simple, Mojolicious, DateTime, Dist-Zilla, CGI, version, LWP
    "cpan": """
        2.2207 2.1213 1.00_05 0.99_14 1.643 1.609_90 v5.36.0 5.036000 5.005_04 5.8.9 v5.40.0
        1.302199 1.001014 0.98_05 9.38 8.67 0.999914 1.65 1.58 1.54 0.4301 6.032 6.000 4.300039
        4.66 3.65 2.89 0.9929 0.99_01 6.77 5.837 5.9.4 v1.2.3 1.10 1.9 1.1 1.100 1.1000 0.01 .5 1.
        1 2 20 20240101 2.013004 3.0 v3.0.1 v3.0 1.0.0 1.2.3_4 v1.2.3_4 1.101580 0.001_01 1.23_01
        00.1 0.000001 1_2
    """,
    # ggplot2, Matrix, MASS, lme4, dplyr, data.table, nlme, survival, BH
    "r": """
        0.5 0.5.1 0.9.3.1 3.5.1 1.7-1 1.6-1.1 0.999375-49 7.3-61 7.3-60.2 1.1-35.5 0.1 0.2 0.8.5
        1.1.4 1.16.2 3.1-166 3.7-0 1.84.0-1 1.81.0-1 0.999999-2 2.0.0 1.0-0 4.0-5 0.4-12 2024.10-1
    """,
    # symfony, laravel, phpunit, doctrine, composer, twig, monolog, wordpress
    "composer": """
        v2.0.0-BETA1 v2.0.0-RC6 v2.8.52 v5.4.45 v7.1.0-BETA1 v7.1.8 4.0.0-BETA4 v11.31.0 5.8.38
        9.6.21 10.0.0 11.4.3 1.0.0-alpha1 1.0.0-beta1 1.0.0-RC3 1.0.0 1.10.27 2.8.2 2.0.0-alpha1
        3.14.2 1.0-dev 1.0.x-dev dev-master dev-main dev-feature-x 2.x-dev 3.8.0 2010.1.2 20100102
        2010-01-02 2010.01.02.5 1.0.0.0 1.0-p1 1.0pl3 1.0.0-patch1 1.0.0-stable 1.0.0+build 1.0b2
        1.0.0-rc.1 1.0.0-beta.5+foo 1.0.0-beta5.1 1.0a 1.0.0-dev v1 00.01.03.04 6.6.2 dev-1.x
    """,
    "alpine": """
        2.34 0.1.0_alpha 4_beta 1.0.4-r3 2.2.39-r1 1.1_alpha1 1.3_alpha8 4.8-r1 2.3.0b-r1
        0.13_beta5 0.7-r1 3.1_p16 1.06-r6 006 9.3.2-r4 0.9_rc2 20050718-r1 2.01.01_alpha10
        1.00_beta2 6b-r7 1.02.07 5.2.1_pre20060814 0.9.8c-r1 1.2.07.8 02.08.01b
        2.9.11_pre20051101-r2 3.9.0_git20240101 1.0_p10-r0 0.1.0_alpha_pre2 1.0_rc1_p2 1.0_cvs1
        1.0_svn2 1.0_hg3 1.0 1.0-r0 1.0-r10 1.0~abc12 1.0~abc12-r1 1.00 1.01 1.1 1.10 1.100 2.40-r9
        3.20.3 1.36.1-r29 1.2.5_git20230717-r5
    """,
    "go": """
        v0.0.0-20190101120000-abcdef123456 v0.0.0-20240613120000-0123456789ab v1.0.0 v1.2.3-pre
        v1.2.3-pre.0.20240101120000-abcdef123456 v1.2.4-0.20240101120000-abcdef123456
        v2.0.0+incompatible v1.0.0-alpha.1 v1.0.0-beta.11 v1.0.0-rc.1 v0.31.0 v1.9.1 v1.10.0
        v3.2.0-beta2+incompatible v1 v1.2
    """,
    "nuget": """
        1.0 1.0.0 1.0.0.0 1.0.0.1 2.0.0-alpha 2.0.0-alpha.1 2.0.0-Beta 2.0.0-beta1 2.0.0-beta10
        2.0.0-beta2 13.0.3 13.0.3-beta1 6.0.0-preview.7.21377.19 8.0.0-rc.2.23479.6 4.8.0-4.final
        9.0.0 1.2.3+build 1.01.1 3.5.8.2 10.0.0-preview1
    """,
    "calver": """
        2024.1 2024.01.15 2024-01-15 20240115 24.04 24.04.1 24.10 2023.12.7 2021.12.17 202401
        22.1.0 23.3.0 2024.1.0b2 2024.2.0rc1 20240115.1 20240115T101500Z 20.04.6 6.06 2024.10.post1
        2019c
    """,
    "kernel": """
        6.12 6.12-rc7 6.11.9 6.6.62 6.1.118 5.15.173 4.19.324 2.6.39 2.6.39-rc7 2.6.32.71 2.4.37.11
        2.6.0-test11 2.4.0-test13-pre7 2.3.99-pre9 2.1.132pre3 1.3.100 1.0 0.99pl15j 0.95a 3.0
        3.0-rc1 6.12.0 6.0.19
    """,
    "drupal": """
        7.x-1.0 7.x-2.0-alpha3 7.x-2.0-beta1 7.x-2.0-rc2 7.x-2.x-dev 8.x-1.0 8.x-1.12 8.x-1.x-dev
        8.x-2.0-unstable4 6.x-1.4 4.7.x-1.0 2.0.0 2.0.x-dev 3.1.0-beta2 10.3.9 11.0.0-rc1 11.x-dev
        7.103 9.5.11 10.4.0-alpha1 8.0.0-beta16 5.x-1.1
    """,
    "gnome": """
        3.38.1 3.37.90 3.36.0 40.alpha 40.beta 40.rc 40.0 40.1 47.1 48.alpha 2.82.2 2.83.0 3.91.2
        3.24.43 4.16.5 0.76.2 1.80.1 45.rc.1 3.99.5
    """,
    # curl, openssl, openssh, sudo, bind, ffmpeg, vim, ntp, less, tzdata, jpeg, libpng, wine
    "generic": """
        8.11.0 7.88.1 1.1.1w 3.0.0-alpha17 3.0.0-beta2 3.4.0 0.9.8zh 9.9p1 9.9p2 1.9.5p3 1.9.16
        9.18.31 9.21.2-dev 9.10.3-P4 n7.1 7.1 9.1.0866 4.2.8p18 4.2.8p18-RC1 668 2024a 9e 9f 1.6.44
        1.7.0beta88 9.0-rc1 9.22 1_86_0 8_5_0 5.40.0 2.13 2.13.0 0.1 1.0alpha1 1.0a1 1.0beta1
        1.0rc1 1.0pre2 1.0.post1 1.0patch1 1.0pl2 1.0errata4 1.0a 1.0.a 1.0b.1 20240101 2024.01.01
        r123 1.0x 1.0git5 1.0-git20200101 00.1 0.001 1.2.3.4.5.6 0 0.0 1.0.0.0.1 2.0-M3 2.0.Beta
        1.0-final
    """,
}

# Versions that nobody publishes and a scheme must place all the same, each against each.
_ODD = {
    "pep440": """
        0 00 1 1.0 01.0 1.0.0 0!1.0 1!1.0 00!1 1!0 1.0a 1.0a0 1.0a1 1.0a01 1.0.a.1 1.0-a-1 1.0_a_1
        1.0alpha1 1.0b 1.0beta 1.0c1 1.0rc1 1.0pre1 1.0preview1 1.0.preview_1 1.0-1 1.0-01 1.0-0
        1.0.post 1.0post0 1.0.post0 1.0.post1 1.0-r1 1.0rev1 1.0.rev 1.0dev 1.0.dev0 1.0.dev1
        1.0a1.dev1 1.0.post1.dev1 1.0a1.post1 1.0a1.post1.dev1 1.0+a 1.0+1 1.0+01 1.0+a.1 1.0+a-1
        1.0+A_1 1.0+1.a 1.0+ 1.0+a+b 1.0+a..b 1.0-a1-1 1.0-1-1 1.0.0.0.0.0 v1.0 V1.0 vv1 v.1 1.0. .1
        1..0 1.0-dev 1.0-DEV-1 1.0RC1 1.0.RC.1 1.0_post_1 1.0+ubuntu.1 1.0+ubuntu.01 1.0+ubuntu.a
        1.0a-1 1.0a.b 1.0.post-1 1.0.dev-1 1.0+0 1.0+00 1.0+0a 1.0+a0 1!1!1 1:1.0 1.x 1.* a1 1a1
        1.0.1a 1.0final
    """,
    "semver": """
        0.0.0 1.0.0 v1.0.0 V1.0.0 =1.0.0 =v1.0.0 vv1.0.0 1.0 1 1.0.0.0 01.0.0 1.01.0 1.0.01 1.0.0-0
        1.0.0-00 1.0.0-01 1.0.0-1 1.0.0-10 1.0.0-2 1.0.0-a 1.0.0-A 1.0.0-a.1 1.0.0-a.01 1.0.0-a.10
        1.0.0-a.2 1.0.0-a.a 1.0.0-a- 1.0.0-- 1.0.0--- 1.0.0--1 1.0.0-0a 1.0.0-00a 1.0.0-0-0 1.0.0-
        1.0.0-a. 1.0.0-.a 1.0.0-a..b 1.0.0+a 1.0.0+01 1.0.0+ 1.0.0+a+b 1.0.0-a+b 1.0.0+b-a 1.0.0-a_b
        1.0.0a 1.0.0.a x 1.x 1.x.x * 9007199254740991.0.0 9007199254740990.0.0
        1.0.0-9007199254740991 1.0.0-9007199254740990
    """,
    "gem": """
        0 1 1.0 1.0.0 1.a 1.0.a 1.a.0 1.0.a.0 a 1.A 1.B 1.b 1.10 1.9 1.01 1.001 1.0-1 1.0-a 1-0
        1-a.1 1--1 1.0.pre 1.0.pre1 1.0.pre.1 1.0.rc1 1.0.rc10 1.0.rc2 1.0.rc.10 1.0.a10 1.0.a9
        1.a1b2 1.0.b 1.0.beta 1.0.beta.0 1.0.beta.0.0 00.1 0.0 0.0.a 1. .1 1..0 1_0 1.0+1 v1.0
        1.0.0.0.0.0.0.1 1.0.0.0.0.a.0.0.0
    """,
    "maven": """
        0 1 1.0 1.0.0 1-0 1-0.0 1. 1- .1 -1 1..0 1--0 1-1 1.1 1-a 1.a 1a 1a1 1-a1 1-a-1 1.a1 1.a.1
        1alpha1 1-alpha1 1-alpha-1 1.alpha.1 1-alpha 1-beta 1b1 1b 1-b1 1-m1 1m 1-milestone-1 1-rc1
        1-cr1 1-rc-1 1-snapshot 1-SNAPSHOT 1.snapshot 1-ga 1-final 1-release 1.ga 1.final 1.release
        1-sp 1-sp1 1sp1 1-sp-1 1-x 1-xyz 1.x 1-foo2 1-foo10 1-foo-2 1-1-1 1-1.1 1.1-1 1.0.1 1.0-1
        1-0.1 1-0-1 1.0.0-1 1-0.alpha 1-0a 1.0-rc1-SNAPSHOT 1-rc1.1 01 1.01 1.001 1_1 1_2 1+1 1+2
        1-20240101.101112-3 1-jre 1-android 1.0.RELEASE 1.0.0.Final 1.0-GA1 1-ga-1 1-final1 a b
        alpha beta m rc ga sp final release snapshot foo 1-alpha-SNAPSHOT 2.0.0.Beta5 2.0.0.CR1
        1-dev 1-pre 1-pr1 2147483647 2147483648 9223372036854775807 9223372036854775808 1-K
    """,
    "debian": """
        0 0:0 0:0-0 1:0 0001:1.0 1:1.0 2147483647:1 2147483648:1 4294967297:1 99999999999:1 :1.0 1:
        1.0 1.0- -1.0 1.0-1 1.0-1-1 1-0-1 1.0~ 1.0~~ 1.0~~a 1.0~a 1.0a 1.0+ 1.0+a 1.0. 1.0.. 1..0
        1.0_1 1.0^1 1.0-1~ 1.0-1+ 1.0-~1 ~1 ~ + a a1 1a 00 000 1.00 1.0-00 1.0-0 1.01 1.1 1.010
        1:1:1 1.0:1 1.0-1:1 1.0~rc1-1~exp1 1.0~rc1-1 v1.0 1,0 1%0 1.0-a 1.0A 1.0z 1.0-1.1
        1.0-1ubuntu1 1.0-1build1 0~0 0~ 0-~
    """,
    "rpm": """
        0 00 0:1 1:1 01:1 1.0 1.00 1.0. 1..0 1_0 1.0-1 1.0-01 1.0~ 1.0~~ 1.0^ 1.0^^ 1.0^~ 1.0~^
        1.0~rc1 1.0^git1 1.0^git1~pre 1.0~rc1^git1 1.0a 1.0.a 1.0A a A aa ab a1 1a 1a1 1.0+ 1.0+1 +
        1.0++ 1.0+x 1.0{ 1.0} 1.0% ~ ^ ~1 ^1 .1 1. _ 1.0-1.fc40 1.0-1^ 1.0-1~ 1.0-1~rc1 1.0-^ 1.0-~
        1.0^20200101 1.0.1 1.0^1.0 5.5p10 5.5p2 xyz10 xyz.4 10xyz 1.0aa 1.0b 1.0.b
    """,
    "cpan": """
        0 1 1. .1 1.0 1.00 1.10 1.1 1.100 1.1000 1.9 1.12_3 1.1_23 1.123_456 1_2 1_ _1 v1 v1. v1.0
        v1.2 v1.2.3 v1.2_3 v1.2.3_4 1.2.3 1.2.3.4 1.2.3_4 01 01.2 1.02 1.02.3 001.2 v001.2 v1.02
        v1.002 1.002 1.0020 1.00200 v0.0.1 0.000001 0.0000001 1e3 1.2e3 1.2alpha v v1a 1.2- 1..2
        v1..2 .1.2 .1.2.3 1.2.3. 1.999 1.9999 1.999999 v1.999 v1.1000 1.2_3_4 v1.2_3_4 0.01 00.01
        v00.01 1.2.03 v1.2.3.4.5.6.7 1.023_05 1.02305 1.11111111111111111111
    """,
    "composer": """
        1 1.0 1.0.0 1.0.0.0 1.0.0.0.0 v1 V1.0 1.0-dev 1.0dev 1.0.x-dev 1.x-dev 1.*-dev x-dev
        1.0.0-alpha 1.0.0-a 1.0.0-alpha1 1.0.0alpha1 1.0.0-alpha.1 1.0.0-alpha-1 1.0.0-alpha01
        1.0.0-beta 1.0.0-b2 1.0.0-RC 1.0.0-rc1 1.0.0-RC10 1.0.0-RC2 1.0.0-patch 1.0.0-pl 1.0.0-p1
        1.0.0-patch1 1.0.0-stable 1.0.0-stable1 1.0.0+x 1.0.0-beta+x 1.0.0-beta-dev 1.0.0-beta1-dev
        1.0.0-RC1.1 1.0.0-beta1.2.3 1.0@dev 1.0@beta 1.0@stable 1.0@RC 1.0-beta@stable dev-master
        master trunk default dev-1.0 dev-foo DEV-foo dev-foo@dev 1.0#abc 1.0-foo 1.0foo 1.0.0-gamma
        2010 2010-01 2010.01.02 20100102 2010-01-02-10-20-30 2010-01-02-10-20-30.5 20100102-203040
        20100102203040 2010.1 2010.01 2010.01.02-beta 2010-01-02-p1 99999 100000 100000.0 1.100000
        1.2.3.4-beta 01.02 00.1 1.0.0-0 1.0.0-1 1.0-1 1.0_p1 1.0.p1 1.0p1 1.0.0.0-dev
        1.0.9999999.9999999-dev
    """,
}
_HUGE = "9" * 40

_NUMBER = re.compile(r"[0-9]+")
_WORD = re.compile(r"[A-Za-z]+")
_VOCABULARY = """
    a b c m p r rc RC alpha beta milestone pre preview dev snapshot SNAPSHOT final Final ga GA sp cr
    release post patch pl x git svn cvs hg stable jre test errata unstable trial A B z
"""
_WORDS = _VOCABULARY.split()
_SEPARATORS = [".", "-", "_", "+", "~", "^", ":", ""]
_NUMBERS = ["0", "1", "2", "9", "10", "00", "01", "010", "100", "20240101", "99999999"]
_ENDS = [".0", ".1", "-1", ".0.0", "-0", "rc1", "-rc1", ".a", "~", "~1", "^1", "_1", "+1", ".dev1"]


def real(scheme: str, shared: Path | None = None) -> list[str]:
    """Versions as published: those above, and the recorded ones where there are any."""
    versions = _REAL[scheme].split()
    if shared is not None:
        versions += _recorded(scheme, shared / "data")
    return sorted(set(versions))


def pairs(scheme: str, shared: Path | None = None, count: int = PAIRS) -> list[tuple[str, str]]:
    """Pairs of real versions and pairs of near-equal ones, half and half; the same on every run."""
    chance = random.Random(f"{scheme} of 2026")
    versions = real(scheme, shared)
    pairs: list[tuple[str, str]] = []
    while len(pairs) < count:
        a = chance.choice(versions)
        if len(pairs) % 2:
            b = chance.choice(versions)
        else:
            b = mutated(a, chance)
            if chance.random() < 0.3:
                a = mutated(a, chance)
            if chance.random() < 0.5:
                a, b = b, a
        pairs.append((a, b))
    return pairs


def odd_pairs(scheme: str) -> list[tuple[str, str]]:
    """Each odd version against each other one, in both directions by turns."""
    versions = [*_ODD[scheme].split(), _HUGE, f"1.{_HUGE}", f"1.0-{_HUGE}", f"{_HUGE}.1"]
    pairs = list(combinations(versions, 2))
    return [pair if at % 2 else pair[::-1] for at, pair in enumerate(pairs)]


def mutated(version: str, chance: random.Random) -> str:
    """A neighbour of a version: one to three small changes, never empty."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        version = chance.choice(_CHANGES)(version, chance) or version
    return version


def _replace(pattern: re.Pattern[str], version: str, with_: str, chance: random.Random) -> str:
    found = list(pattern.finditer(version))
    if not found:
        return version + with_
    match = chance.choice(found)
    return version[: match.start()] + with_ + version[match.end() :]


def _step(version: str, chance: random.Random) -> str:
    found = list(_NUMBER.finditer(version))
    if not found:
        return version
    match = chance.choice(found)
    number = max(0, int(match[0]) + chance.choice((-1, 1)))
    return f"{version[: match.start()]}{number}{version[match.end() :]}"


def _insert(version: str, chance: random.Random) -> str:
    at = chance.randrange(len(version) + 1)
    what = chance.choice(_SEPARATORS) + chance.choice(_WORDS + _NUMBERS)
    return version[:at] + what + version[at:]


def _delete(version: str, chance: random.Random) -> str:
    at = chance.randrange(len(version))
    return version[:at] + version[at + 1 :]


_CHANGES = [
    _step,
    _step,
    lambda v, c: _replace(_NUMBER, v, c.choice(_NUMBERS), c),
    lambda v, c: _replace(_WORD, v, c.choice(_WORDS), c),
    lambda v, c: _replace(re.compile(r"[^0-9A-Za-z]"), v, c.choice(_SEPARATORS), c),
    lambda v, c: v + c.choice(_ENDS),
    lambda v, c: v + c.choice(_SEPARATORS) + c.choice(_WORDS) + c.choice(_NUMBERS),
    lambda v, c: v.removesuffix(".0"),
    lambda v, c: v.swapcase(),
    lambda v, c: v[: c.randrange(1, len(v) + 1)],
    _insert,
    _delete,
]


def _recorded(scheme: str, data: Path) -> Iterator[str]:
    if scheme == "pvp":
        with gzip.open(data / "release-histories.tsv.gz", "rt") as lines:
            next(lines)
            for line in lines:
                yield line.split("\t")[1]
    elif scheme == "pep440":
        yield from json.loads((data / "pypi" / "flask.json").read_text())["releases"]
        yield from json.loads((data / "pypi" / "numpy-simple.json").read_text()).get("versions", [])
    elif scheme == "semver":
        for file in sorted((data / "crates").glob("index-*")):
            for line in file.read_text().splitlines():
                if line.startswith("{"):
                    yield json.loads(line)["vers"]
    elif scheme == "gem":
        for row in json.loads((data / "rubygems" / "nokogiri-versions.json").read_text()):
            yield row["number"]
    elif scheme == "maven":
        for name in ("metadata.xml", "metadata-extra.xml"):
            yield from re.findall(r"<version>([^<]+)<", (data / "maven" / name).read_text())
    elif scheme == "r":
        yield from json.loads((data / "cran" / "dplyr.json").read_text(), strict=False)["versions"]
    elif scheme == "drupal":
        for file in sorted((data / "drupal").glob("*.xml")):
            yield from re.findall(r"<version>([^<]+)<", file.read_text())
    elif scheme == "cpan":
        for file in sorted((data / "cpan").glob("*.json")):
            yield from re.findall(r'"version"\s*:\s*"([0-9v._]+)"', file.read_text())
    elif scheme in ("debian", "rpm", "alpine", "generic", "composer"):
        for row in (data / "archive-names.tsv").read_text().splitlines()[1:]:
            yield row.split("\t")[1]
