"""Real servers on loopback: rsyncd, Apache httpd, nginx, git over HTTP (git http-backend).

    with Nginx(folder, format="json") as server:
        ...  # server.url is "http://127.0.0.1:<free port>/"

Each runs in the foreground as a child of this process, in a temporary folder of its own with its
configuration and logs; no service of the machine is touched, and it works as root and as an
ordinary user. Leaving the block ends it and its children. Where it cannot start, LabError holds
the end of its log; where the block ends with an error, the folder stays and a note says where.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from tests.lab.answers import LabError
from tests.lab.tools import (
    DEBIAN_PACKAGES,
    available,
    find,
    install_hint,
    missing,
    need,
)

__all__ = [
    "DEBIAN_PACKAGES",
    "Apache",
    "GitHttp",
    "Nginx",
    "Rsyncd",
    "Server",
    "available",
    "find",
    "install_hint",
    "missing",
]

NOBODY = 65534
_READY, _ENDED = 15.0, 10.0  # seconds
_MIME = (
    "text/html html; text/plain txt asc sha256; text/xml xml rss atom; application/json json; "
    "application/gzip gz tgz; application/x-xz xz; application/x-bzip2 bz2; application/zip zip"
)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """A child process that listens on one port of loopback."""

    program = ""  # a name of DEBIAN_PACKAGES

    def __init__(self) -> None:
        self.port = 0
        self.home = Path()  # configuration and logs
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address of what it serves, with a slash at its end."""
        return f"http://127.0.0.1:{self.port}/"

    @property
    def pid(self) -> int:
        """Its process id. LabError where it does not run."""
        if self._child is None:
            raise LabError(f"{self.program} does not run")
        return self._child.pid

    @property
    def log(self) -> str:
        """All it has said so far: its output and its log files."""
        files = sorted(self.home.glob("*.log"))
        return "".join(file.read_text(errors="replace") for file in files)

    def command(self) -> Sequence[str]:
        """Write the configuration into `home`, for `port`, and say what to run."""
        raise NotImplementedError

    def become(self) -> Sequence[str]:
        """A prefix for the command: what it must be to run (nothing)."""
        return ()

    def start(self) -> Self:
        """Start it and wait until it answers."""
        self.home = Path(tempfile.mkdtemp(prefix=f"lab-{self.program}-"))
        self.home.chmod(0o755)
        for _ in range(3):  # another process may take the free port before us
            self.port = free_port()
            output = (self.home / "output.log").open("ab")
            with output:
                self._child = subprocess.Popen(
                    [*self.become(), *_tied(), *self.command()],
                    cwd=self.home,
                    env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            if self._answers():
                return self
            self._end()
            if "in use" not in self.log:
                break
        said = self.log[-2000:]
        shutil.rmtree(self.home, ignore_errors=True)
        raise LabError(f"{self.program} did not start on port {self.port}: {said or 'no word'}")

    def stop(self) -> None:
        """End it, wait for it, and remove its folder."""
        self._end()
        shutil.rmtree(self.home, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        if error is None:
            shutil.rmtree(self.home, ignore_errors=True)
        else:
            error.add_note(f"the log of {self.program} is in {self.home}")

    def _answers(self) -> bool:
        until = time.monotonic() + _READY
        while time.monotonic() < until and self._child and self._child.poll() is None:
            if _listens(self._child.pid, self.port):
                return True
            time.sleep(0.02)
        return False

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(_ENDED)
            except subprocess.TimeoutExpired:
                child.kill()
        with contextlib.suppress(ProcessLookupError):  # its children: the session is its own
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _listens(pid: int, port: int) -> bool:
    """Whether that very process listens on a port of loopback: another may have been quicker."""
    own = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                own.add(str(entry.readlink()))
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, state, inode = (row.split()[column] for column in (1, 3, 9))
        if state == "0A" and int(local.rpartition(":")[2], 16) == port:  # 0A: listening
            return f"socket:[{inode}]" in own
    return False


def _tied() -> list[str]:
    """A prefix that ends the server when this process dies, even by kill -9 (setpriv)."""
    program = shutil.which("setpriv")
    if program is None or threading.current_thread() is not threading.main_thread():
        return []  # the kernel ties a child to the thread that made it
    return [program, "--pdeathsig", "TERM"]


class Rsyncd(Server):
    """rsync as a daemon with read-only modules. `folder` becomes the module "pub".

    `modules` names more of them; `options` are lines for the global part of rsyncd.conf, such as
    "max connections = 1" or "motd file = …".
    """

    program = "rsync"

    def __init__(
        self,
        folder: Path,
        modules: Mapping[str, Path] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.folder = folder
        self.modules = {"pub": folder, **(modules or {})}
        self.options = tuple(options)

    @property
    def url(self) -> str:
        """The address of the module "pub"."""
        return self.module_url("pub")

    def module_url(self, module: str) -> str:
        """The address of a module, with a slash at its end."""
        return f"rsync://127.0.0.1:{self.port}/{module}/"

    def command(self) -> Sequence[str]:
        lines = ["use chroot = no", "munge symlinks = no", f"log file = {self.home}/rsyncd.log"]
        lines.append(f"lock file = {self.home}/rsyncd.lock")
        if os.geteuid() == 0:
            lines += ["uid = 0", "gid = 0"]
        lines += self.options
        for name, folder in self.modules.items():
            lines += [f"[{name}]", f"path = {folder}", f"comment = {name} of the lab"]
            lines += ["read only = yes", "list = yes"]
        config = self.home / "rsyncd.conf"
        config.write_text("\n".join(lines) + "\n")
        where = ["--address=127.0.0.1", f"--port={self.port}"]
        return [need("rsync"), "--daemon", "--no-detach", f"--config={config}", *where]


class Apache(Server):
    """Apache httpd with folder pages (mod_autoindex).

    style          "fancy" (a <pre> block), "table", "plain" (a list of names)
    track_modified pages carry ETag and Last-Modified of the folder (IndexOptions TrackModified)
    index_options  more for IndexOptions, such as "VersionSort" or "NameWidth=*"
    config         more lines of configuration
    """

    program = "apache2"

    def __init__(
        self,
        folder: Path,
        *,
        style: Literal["fancy", "table", "plain"] = "fancy",
        track_modified: bool = False,
        index_options: Sequence[str] = (),
        config: str = "",
    ) -> None:
        super().__init__()
        self.folder = folder
        shown = {"fancy": ["FancyIndexing"], "table": ["FancyIndexing", "HTMLTable"], "plain": []}
        tracked = ["TrackModified"] if track_modified else []
        self.index_options = [*shown[style], *tracked, *index_options]
        self.config = config
        self.modules = ["mpm_prefork", "authz_core", "dir", "mime", "autoindex", "alias"]

    def command(self) -> Sequence[str]:
        options = " ".join(self.index_options)
        (self.home / "mime.types").write_text(_MIME.replace("; ", "\n") + "\n")
        config = self.home / "httpd.conf"
        config.write_text(
            f'ServerRoot "{self.home}"\nServerName 127.0.0.1\nListen 127.0.0.1:{self.port}\n'
            f'PidFile "{self.home}/httpd.pid"\nErrorLog "{self.home}/error.log"\n'
            f'DefaultRuntimeDir "{self.home}"\nMutex fcntl:{self.home}\n'
            f"{self._load()}"
            f'TypesConfig "{self.home}/mime.types"\n'
            "StartServers 2\nMinSpareServers 1\nMaxSpareServers 8\nMaxRequestWorkers 32\n"
            f'DocumentRoot "{self.folder}"\n'
            f'<Directory "{self.folder}">\n  Options +Indexes +FollowSymLinks\n'
            f"  Require all granted\n  {f'IndexOptions {options}' if options else ''}\n"
            "</Directory>\n"
            "DefaultIcon /icons/unknown.gif\nAddIcon /icons/folder.gif ^^DIRECTORY^^\n"
            f"AddIcon /icons/back.gif ..\n{self.config}\n"
        )
        return [need("apache2"), "-DFOREGROUND", "-f", str(config)]

    def become(self) -> Sequence[str]:
        return _unprivileged(self.home)

    def _load(self) -> str:
        places = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/lib/httpd/modules")
        place = next((p for p in places if Path(p).is_dir()), None)
        if place is None:
            raise LabError(f"no modules of Apache httpd in {', '.join(places)}")
        return "".join(
            f"<IfModule !mod_{name.removeprefix('mod_')}.c>\n"
            f"  LoadModule {name}_module {place}/mod_{name}.so\n</IfModule>\n"
            for name in self.modules
        ).replace("mod_mpm_prefork.c", "prefork.c")


def _unprivileged(home: Path) -> list[str]:
    """A prefix for a server that refuses to work as root.

    It becomes nobody, who may read like root: test folders are closed to others.
    """
    if os.geteuid() != 0:
        return []
    program = shutil.which("setpriv")
    if program is None:
        raise LabError("Apache httpd does not serve as root, and there is no setpriv (util-linux)")
    os.chown(home, NOBODY, NOBODY)
    who = [f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    may = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    asked = ["--securebits=+no_setuid_fixup"]  # access(2), which git asks, counts them too
    return [program, *who, *may, *asked]


class Nginx(Server):
    """nginx with folder pages (ngx_http_autoindex_module).

    format      "html", "json" or "xml"
    exact_size  bytes (else 1K, 3M)
    config      more lines for the server block, such as "gzip on;"
    """

    program = "nginx"

    def __init__(
        self,
        folder: Path,
        *,
        format: Literal["html", "json", "xml"] = "html",
        exact_size: bool = True,
        config: str = "",
    ) -> None:
        super().__init__()
        self.folder = folder
        self.format = format
        self.exact_size = exact_size
        self.config = config

    def command(self) -> Sequence[str]:
        kinds = ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
        temporary = "".join(f"  {kind}_temp_path {self.home}/{kind};\n" for kind in kinds)
        types = "".join(f"    {line.strip()};\n" for line in _MIME.split(";"))
        config = self.home / "nginx.conf"
        config.write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\nworker_processes 1;\n"
            f"pid {self.home}/nginx.pid;\nerror_log {self.home}/error.log;\n"
            "events { worker_connections 256; }\n"
            f"http {{\n  access_log off;\n{temporary}  types {{\n{types}  }}\n"
            "  default_type application/octet-stream;\n"
            f"  server {{\n    listen 127.0.0.1:{self.port};\n    root {self.folder};\n"
            f"    autoindex on;\n    autoindex_format {self.format};\n"
            f"    autoindex_exact_size {'on' if self.exact_size else 'off'};\n"
            f"    {self.config}\n  }}\n}}\n"
        )
        said = f"{self.home}/error.log"
        return [need("nginx"), "-p", str(self.home), "-e", said, "-c", str(config)]


class GitHttp(Apache):
    """git over smart HTTP: the repositories of `folder` below `url` (git http-backend as CGI).

    protocol  whether clients may speak version 2; without, it answers as old servers do
    """

    def __init__(self, folder: Path, *, protocol: bool = True) -> None:
        super().__init__(folder)
        self.modules += ["env", "cgi", "setenvif", "headers"]
        self.protocol = protocol

    @property
    def url(self) -> str:
        """Repositories lie below it: `url + "tool.git"`."""
        return f"http://127.0.0.1:{self.port}/git/"

    def command(self) -> Sequence[str]:
        done = subprocess.run(
            [need("git"), "--exec-path"], capture_output=True, text=True, check=True
        )
        backend = Path(done.stdout.strip()) / "git-http-backend"
        if not backend.exists():
            raise LabError(f"{backend} is missing: this git cannot serve by HTTP")
        settings = {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",  # the files are ours, the server is nobody
            "GIT_CONFIG_VALUE_0": "*",
            "HOME": str(self.home),
        }
        spoken = 'SetEnvIf Git-Protocol ".*" GIT_PROTOCOL=$0\n'  # git before 2.36 needs it
        if not self.protocol:
            spoken = "RequestHeader unset Git-Protocol early\n"
        self.config = (
            "".join(f'SetEnv {name} "{value}"\n' for name, value in settings.items())
            + spoken
            + f'ScriptAlias /git/ "{backend}/"\n'
            + f'<Directory "{backend.parent}">\n  Require all granted\n</Directory>\n'
        )
        return super().command()
