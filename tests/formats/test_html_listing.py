"""Folder pages of web servers. Their shapes were measured on the servers that are named."""

# ruff: noqa: E501 (rows of a page are as long as servers write them)

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.formats import html_listing
from monitor.model import Unread
from tests.formats.answers import answer

URL = "https://up.example/pub/"


def seconds(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp())


def read(body, url=URL, **headers):
    return html_listing.folder(answer(body, url, **headers))


PRE = """<html><head><title>Index of /pub</title></head><body><h1>Index of /pub</h1>
<pre><img src="/icons/blank.gif"> <a href="?C=N;O=D">Name</a> <a href="?C=M;O=A">Last modified</a>
<hr><img src="/icons/back.gif" alt="[PARENTDIR]"> <a href="/">Parent Directory</a>     -
<img src="/icons/folder.gif" alt="[DIR]"> <a href="old%20ones/">old ones/</a>   2022-01-17 17:49    -
<img src="/icons/compressed.gif"> <a href="gtk+-3.24.39.tar.xz">gtk+-3.24.39.tar..&gt;</a> 2026-09-01 12:34  1.2M
<img src="/icons/text.gif"> <a href="gtk+-3.24.39.tar.xz.sig">x</a> 2026-09-01 12:34  558
<hr></pre></body></html>"""

TABLE = """<html><h1>Index of /pub</h1><table>
<tr><th><a href="?C=N;O=D">Name</a></th><th><a href="?C=M;O=A">Last modified</a></th></tr>
<tr><td valign="top">..</td><td><a href="/">Parent Directory</a></td><td>&nbsp;</td></tr>
<tr><td valign="top"><img></td><td><a href="old%20ones/">old ones/</a></td><td align="right">2022-01-17 17:49  </td><td align="right">  - </td></tr>
<tr><td valign="top"><img></td><td><a href="gtk+-3.24.39.tar.xz">gtk</a></td><td align="right">2026-09-01 12:34  </td><td align="right">1.2M</td><td>&nbsp;</td></tr>
<tr><td valign="top"><img></td><td><a href="gtk+-3.24.39.tar.xz.sig">gtk</a></td><td align="right">2026-09-01 12:34  </td><td align="right">558 </td><td>&nbsp;</td></tr>
</table></html>"""

NGINX = """<html><head><title>Index of /pub/</title></head><body><h1>Index of /pub/</h1><hr><pre><a href="../">../</a>
<a href="old%20ones/">old ones/</a>                           17-Jan-2022 17:49                   -
<a href="gtk%2B-3.24.39.tar.xz">gtk+-3.24.39.tar.xz</a>       01-Sep-2026 12:34                1.2M
<a href="gtk%2B-3.24.39.tar.xz.sig">gtk+-3.24.39.tar.xz.s..&gt;</a> 01-Sep-2026 12:34         558
</pre><hr></body></html>"""

LIGHTTPD = """<html><head><title>Index of /pub/</title></head><body><h2>Index of /pub/</h2><table><thead><tr><th>Name</th></tr></thead>
<tr class="d"><td class="n"><a href="../">..</a>/</td><td class="m">&nbsp;</td><td class="s">- &nbsp;</td></tr>
<tr class="d"><td class="n"><a href="old%20ones/">old ones</a>/</td><td class="m">2022-Jan-17 17:49:00</td><td class="s">- &nbsp;</td><td class="t">Directory</td></tr>
<tr><td class="n"><a href="gtk%2b-3.24.39.tar.xz">gtk+</a></td><td class="m">2026-Sep-01 12:34:00</td><td class="s">1.2M</td><td class="t">application/x-xz</td></tr>
<tr><td class="n"><a href="gtk%2b-3.24.39.tar.xz.sig">gtk+</a></td><td class="m">2026-Sep-01 12:34:00</td><td class="s">0.5K</td><td class="t">x</td></tr>
</table><script>var a = '<a href="evil.zip">';</script></body></html>"""

CADDY = """<html><body><h1>Folder</h1><table><tr><td><a href="..">Go up</a></td></tr>
<tr class="file"><td></td><td><a href="./old%20ones/"><svg></svg><span class="name">old ones</span></a></td><td>&mdash;</td><td><time datetime=" 2022-01-17T17:49:00Z">x</time></td></tr>
<tr class="file"><td></td><td><a href="./gtk&#43;-3.24.39.tar.xz"><svg></svg><span class="name">gtk</span></a></td><td data-order="1234567">1.2 MiB</td><td><time datetime=" 2026-09-01T12:34:00Z">09/01/2026</time></td></tr>
<tr class="file"><td></td><td><a href="./gtk&#43;-3.24.39.tar.xz.sig"><span class="name">gtk</span></a></td><td data-order="558">558 B</td><td><time datetime="2026-09-01T12:34:00Z">09/01/2026</time></td></tr>
</table></body></html>"""

NGINX_JSON = """[
{ "name":"old ones", "type":"directory", "mtime":"Mon, 17 Jan 2022 17:49:00 GMT" },
{ "name":"gtk+-3.24.39.tar.xz", "type":"file", "mtime":"Tue, 01 Sep 2026 12:34:00 GMT", "size":1234567 },
{ "name":"gtk+-3.24.39.tar.xz.sig", "type":"file", "mtime":"Tue, 01 Sep 2026 12:34:00 GMT", "size":558 }
]"""

NGINX_XML = """<?xml version="1.0"?>
<list>
<directory mtime="2022-01-17T17:49:00Z">old ones</directory>
<file mtime="2026-09-01T12:34:00Z" size="1234567">gtk+-3.24.39.tar.xz</file>
<file mtime="2026-09-01T12:34:00Z" size="558">gtk+-3.24.39.tar.xz.sig</file>
</list>"""

CADDY_JSON = """[{"name":"old ones/","size":4096,"url":"./old%20ones/","mod_time":"2022-01-17T17:49:00.28Z","mode":2147484141,"is_dir":true,"is_symlink":false},
{"name":"gtk+-3.24.39.tar.xz","size":1234567,"url":"./x","mod_time":"2026-09-01T12:34:00.1Z","mode":420,"is_dir":false,"is_symlink":false},
{"name":"gtk+-3.24.39.tar.xz.sig","size":558,"url":"./y","mod_time":"2026-09-01T12:34:00Z","mode":420,"is_dir":false,"is_symlink":false}]"""

SERVERS = {
    "Apache, pre": PRE,
    "Apache, table": TABLE,
    "nginx": NGINX,
    "lighttpd": LIGHTTPD,
    "Caddy": CADDY,
    "nginx, JSON": NGINX_JSON,
    "nginx, XML": NGINX_XML,
    "Caddy, JSON": CADDY_JSON,
}


@pytest.mark.parametrize("body", SERVERS.values(), ids=SERVERS.keys())
def test_B20_every_server_s_page_shows_the_same_folder(body):
    folder = read(body)

    assert folder.folders == ["old ones"]
    assert [file[0] for file in folder.files] == ["gtk+-3.24.39.tar.xz", "gtk+-3.24.39.tar.xz.sig"]
    assert {file[2] for file in folder.files} == {seconds(2026, 9, 1, 12, 34)}
    assert folder.notes == []


@pytest.mark.parametrize("server", ["Caddy", "nginx, JSON", "nginx, XML", "Caddy, JSON"])
def test_sizes_are_told_where_the_page_has_them_to_the_byte(server):
    assert [file[1] for file in read(SERVERS[server]).files] == [1234567, 558]


@pytest.mark.parametrize("server", ["Apache, pre", "Apache, table", "nginx"])
def test_rounded_sizes_are_not_told(server):
    assert [file[1] for file in read(SERVERS[server]).files] == [None, 558]


def test_a_plain_list_has_names_alone():
    body = """<h1>Index of /pub</h1><ul><li><a href="/"> Parent Directory</a></li>
    <li><a href="a-1.0.zip"> a-1.0.zip</a></li></ul>"""

    assert read(body).files == [("a-1.0.zip", None, None)]


@pytest.mark.parametrize(
    "reference",
    [
        *("../", "..", "/", "/other/", "?C=M;O=D", "a.zip?x=1", "#top", "sub/a.zip", "./"),
        *(
            "https://elsewhere.example/pub/a.zip",
            "ftp://up.example/pub/a.zip",
            "mailto:a@b.example",
        ),
        *("//elsewhere.example/a.zip", "javascript:void(0)", "https://[", ""),
    ],
)
def test_B20_links_that_are_no_entries_are_passed_over(reference):
    folder = read(f'<h1>Index of /pub</h1><a href="{reference}">x</a> 2026-09-01 12:34 12')

    assert (folder.files, folder.folders, folder.notes) == ([], [], [])


@pytest.mark.parametrize(
    "reference", ["https://up.example/pub/a.zip", "/pub/a.zip", "./a.zip", "//up.example/pub/a.zip"]
)
def test_a_link_may_be_written_in_full(reference):
    assert read(f"Index of <a class=x href='{reference}'>x</a>").files[0][0] == "a.zip"


@pytest.mark.parametrize(
    "reference",
    ["a%00b.zip", "a%0Ab.zip", "%e2%80%aea.zip", "a%2fb.zip", "%2e%2e", "%ff.zip", "%20"],
)
def test_B07_names_that_cannot_be_taken_are_dead_letters(reference):
    folder = read(f'Index of <a href="{reference}">x</a>')

    assert folder.files == []
    assert [type(note) for note in folder.notes] == [Unread]
    assert folder.notes[0].raw.isascii()
    assert folder.notes[0].raw.isprintable()


def test_B06_a_name_in_an_encoding_that_nobody_told_is_a_dead_letter():
    body = 'Index of <a href="gr\xfcn.zip">x</a> <a href="a.zip">y</a>'.encode("latin-1")
    folder = read(body)
    told = read(body, content_type="text/html; charset=iso-8859-1")

    assert [file[0] for file in folder.files] == ["a.zip"]
    assert [type(note) for note in folder.notes] == [Unread]
    assert [file[0] for file in told.files] == ["grün.zip", "a.zip"]


def test_B01_an_empty_folder_is_empty():
    assert read('<h1>Index of /pub</h1><pre><a href="../">../</a></pre>').files == []
    assert read("[\n]", content_type="application/json").files == []


NO_LISTING = [
    *(b"", b"<html>Sorry</html>", b"[]", b"null", b'{"message": "slow down"}', b"\xff\xfe"),
    *(b'[{"name": "x"}]', b'<html><a href="/login">Log in</a><a href="help">Help</a></html>'),
]


@pytest.mark.parametrize("body", NO_LISTING)
def test_B13_a_page_that_is_no_folder_is_not_read(body):
    with pytest.raises(ValueError):
        read(body)


def test_B09_an_xml_listing_with_a_document_type_is_refused():
    with pytest.raises(ValueError):
        read('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><list><file>&a;</file></list>')


def test_B10_pages_nested_without_end_do_no_harm():
    assert read("Index of " + "<div>" * 100_000 + '<a href="a.zip">x</a>').files[0][0] == "a.zip"
    with pytest.raises((ValueError, RecursionError)):
        read("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<a href=", "<!--", "<script", '<a href="', "&amp;", "2026-01-", '<a href="a">', " \t"],
)
def test_F19_reading_takes_time_linear_in_the_page(piece):
    begun = time.process_time()
    read("Index of " + piece * (1_000_000 // len(piece)))

    assert time.process_time() - begun < 2


@st.composite
def rows(draw):
    """Rows as Apache and nginx write them, with now and then something odd in their place."""
    name = draw(st.text("ab-_.+~%10P", min_size=1, max_size=9)) + draw(st.sampled_from(["", "/"]))
    text = draw(
        st.sampled_from([name, f"{name[:5]}..&gt;", "Parent Directory", " parent directory"])
    )
    at = draw(
        st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)).map(
            lambda at: f"{at:%Y-%m-%d %H:%M}"
        )
        | st.sampled_from(["17-Jan-2022 17:49", "31-Feb-2022 17:49", "2022-02-30 10:00", "", "-"])
    )
    size = draw(st.sampled_from(["-", "558", "1.2M", "512K", "1,024", "", "17 files"]))
    end = draw(st.sampled_from(["\n", "\r\n", "", "<br>"]))
    return f'<a href="{name}">{text}</a>   {at}  {size}{end}'


@given(st.lists(rows(), max_size=6))
def test_a_row_that_is_read_at_once_says_what_the_long_way_says(found):
    page = "<h1>Index of /pub</h1><pre>" + "".join(found) + "</pre>"

    # In capitals they are no rows that Apache or nginx write.
    assert read(page) == read(page.replace("<a href=", "<a HREF="))


@given(st.text())
def test_no_text_brings_anything_but_a_folder_or_a_value_error(text):
    try:
        folder = read("Index of " + text)
    except ValueError:
        return
    assert all(file[0].isprintable() and "/" not in file[0] for file in folder.files)


@pytest.mark.parametrize(
    ("file", "files", "folders"),
    [
        ("apache-glibc.html", 479, 0),
        ("busybox.html", 282, 58),
        ("iproute2.html", 224, 0),
        ("kernel-10.html", 1089, 8),
        ("kernel-15.html", 1006, 2),
        ("lighttpd.html", 355, 0),
        ("openssh.html", 258, 2),
        ("samba.html", 937, 0),
        ("util-linux.html", 63, 0),
    ],
)
def test_B20_recorded_pages_are_read_whole_with_every_date(shared, file, files, folders):
    folder = read((shared / "data/listings" / file).read_bytes())

    assert (len(folder.files), len(folder.folders)) == (files, folders)
    assert all(entry[2] for entry in folder.files)
    assert folder.notes == []
