"""Wrong input and broken machines are answered: what, and what to do, never a traceback."""

from __future__ import annotations

import os
import resource
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Said


def is_answered(said: Said, code: int, *words: str) -> None:
    """It ends with that code, and says what is wrong in a line or two."""
    assert said.code == code, said
    assert "Traceback" not in said.err
    assert "mistake of the program" not in said.err
    for word in words:
        assert word in said.err, said.err
    assert len(said.err.splitlines()) <= 5


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["nosuch"], 2, "no command"),
        (["show"], 2, "Missing argument"),
        (["show", "zzz"], 1, "no database"),
        (["check", "nosuch/x"], 2, "nosuch"),
        (["check", "pkg:"], 2, "no purl"),
        (["check", "pkg:npm/x"], 2, "no provider"),
        (["check", "https://nobody.invalid/x"], 2, "no provider knows this address"),
        (["ask", "pipy"], 2, "did you mean pypi"),
        (["ask", "github"], 2, "PROJECT"),
        (["poll", "pipy"], 2, "did you mean pypi"),
        (["watch", "nosuch/x"], 2, "nosuch"),
        (["queue", "retry", "7"], 2, "no such job"),
        (["queue", "done", "7", "--fence", "1", "--result", "{"], 2, "not JSON"),
        (["outdated", "--against", "/nonexistent"], 2, "No such file"),
        (["backup", "/"], 2, "folder"),
        (["record", "nothing"], 2, "no address"),
        (["new", "Not A Name"], 2, "name of a module"),
        (["notify"], 2, "notify.urls"),
        (["restore", "/nonexistent"], 2, "does not exist"),
    ],
)
def test_a_wrong_question_is_answered(cli: Cli, arguments, code, word):
    is_answered(cli(*arguments), code, word)


@pytest.mark.parametrize(
    ("file", "text", "words"),
    [
        ("monitor.toml", "[network\n", ("monitor.toml:1", "not TOML")),
        ("monitor.toml", "[network]\npaec = 1\n", ("monitor.toml:2", "pace")),
        ("monitor.toml", "[feed]\npage_size = 0\n", ("monitor.toml:2",)),
        ("packages.toml", "[[package]]\n", ("packages.toml",)),
        ("sources/pypi.toml", 'provider = "pypi"\n[settings]\nulr = "x"\n', ("did you mean url",)),
        ("sources/x.toml", 'provider = "pipy"\n', ("pipy",)),
    ],
)
def test_H18_broken_settings_are_named_with_file_and_key(cli: Cli, file, text, words):
    (cli.config / file).write_text(text)

    for command in (["config", "check"], ["poll"], ["doctor"]):
        said = cli(*command)
        assert said.code == 2, (command, said)
        assert all(word in said.err + said.out for word in words), (command, said)


def test_a_database_of_a_newer_program_is_not_touched(cli: Cli):
    assert cli("poll", "crates").code == 0
    path = cli.state / "monitor.db"
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()

    for command in (["list"], ["watch", "pypi/x"], ["poll"]):
        is_answered(cli(*command), 1, "schema 99", "install the newer")


def test_H11_a_damaged_database_is_said_to_be_one(cli: Cli):
    assert cli("poll", "crates").code == 0
    (cli.state / "monitor.db").write_bytes(b"not a database at all" * 500)
    for beside in ("monitor.db-wal", "monitor.db-shm"):
        (cli.state / beside).unlink(missing_ok=True)

    is_answered(cli("list"), 1, "monitor restore")
    is_answered(cli("poll"), 1, "monitor restore")


def test_a_full_disk_says_so(cli: Cli):
    assert cli("poll", "crates").code == 0
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(cli.argv("list", "--json"), stdout=full, stderr=subprocess.PIPE,
                              env=cli.environ(), check=False)  # fmt: skip
    assert done.returncode == 0  # nothing is watched, nothing is printed
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(cli.argv("providers"), stdout=full, stderr=subprocess.PIPE,
                              env=cli.environ(), check=False)  # fmt: skip
    is_answered(Said(done.returncode, "", done.stderr.decode()), 1, "No space left", "make room")


def test_a_file_that_may_not_grow_ends_a_poll_in_words(cli: Cli, registry):
    registry.many_projects(2000)

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))

    said = cli.apart("poll", preexec_fn=little_room)

    assert said.code in (1, 3)
    assert "Traceback" not in said.err


def test_a_state_folder_that_may_not_be_made_is_answered(cli: Cli):
    cli.before = [*cli.before[:2], "--state", "/sys/release-monitor"]

    is_answered(cli("poll"), 1, "/sys/release-monitor", "--state DIR")


def test_a_reader_that_goes_away_is_no_error(cli: Cli):
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(cli.argv("providers"), stdout=writer, stderr=subprocess.PIPE,
                          env=cli.environ(), check=False)  # fmt: skip
    os.close(writer)

    assert done.stderr == b""
    assert done.returncode in (1, 141)


def test_a_closed_standard_output_is_no_error(cli: Cli):
    done = subprocess.run(["sh", "-c", 'exec "$@" >&-', "sh", *cli.argv("providers")],
                          stderr=subprocess.PIPE, env=cli.environ(), check=False)  # fmt: skip

    assert (done.returncode, done.stderr) == (0, b"")


def test_arguments_that_are_not_text_are_answered(cli: Cli):
    assert cli("poll", "crates").code == 0
    for command in ("show", "check", "watch"):
        done = subprocess.run([*cli.argv(command), b"lab-\xff\x1b[0m"], capture_output=True,
                              env=cli.environ(), check=False)  # fmt: skip
        is_answered(Said(done.returncode, "", done.stderr.decode()), 2, "UTF-8")


def test_nobody_s_home_is_no_error(bare: Cli):
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": bare.environ()["PYTHONPATH"]}
    done = subprocess.run(bare.argv("list"), capture_output=True, env=env, check=False, cwd="/")

    assert b"Traceback" not in done.stderr
    assert done.returncode in (0, 1, 2)


def test_an_encoding_that_lacks_our_letters_is_no_error(cli: Cli):
    said = cli.apart("check", "nosuch/x", env={"PYTHONIOENCODING": "latin-1"})

    assert said.code == 2
    assert "\\u2192" in said.err


def test_a_socket_that_is_not_ours_is_answered(cli: Cli):
    assert cli("poll", "crates").code == 0
    with socket.socket(socket.AF_UNIX) as stranger:
        stranger.bind(str(cli.state / "control.sock"))
        stranger.listen()
        stranger.close()

    assert cli("watch", "pypi/x").code == 0  # nobody listens: we write ourselves


def test_H08_two_writers_know_of_each_other(cli: Cli):
    from monitor.store.lock import lock

    with lock(cli.state):
        is_answered(cli("poll"), 1, "in use by process")


def test_a_missing_rsync_is_named_with_the_package(everything: Cli):
    said = everything.apart("check", "gnu/hello", env={"PATH": "/nonexistent"})

    is_answered(said, 3, "rsync", "apt-get install rsync")


def test_the_doctor_names_what_is_missing(everything: Cli):
    well = everything("doctor", "--json")
    assert {row["what"] for row in well.lines} >= {"Python", "SQLite", "settings", "disk", "rsync"}

    ill = everything.apart("doctor", env={"PATH": "/nonexistent"})
    assert ill.code == 1
    assert "apt-get install rsync" in ill.out


def test_the_doctor_finds_a_secret_that_others_may_read(cli: Cli):
    with (cli.config / "monitor.toml").open("a") as file:
        file.write('\n[network.credentials.forge]\norigin = "https://api.forge.example"\n')
    secrets = cli.config / "credentials"
    secrets.mkdir()
    (secrets / "forge").write_text("s3cret")
    (secrets / "forge").chmod(0o644)

    said = cli("doctor")

    assert said.code == 2
    assert "chmod 600" in said.out
    assert "s3cret" not in said.out


def test_settings_are_shown_with_where_they_were_set(cli: Cli):
    said = cli("config", "show", "--json").json

    assert said["settings"]["network"]["contact"] == "tests@example.invalid"
    assert Path(said["origins"]["network.contact"].partition(":")[0]).name == "monitor.toml"
    assert "tests@example.invalid" in cli("config", "show").out
