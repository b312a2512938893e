"""Does the installed distribution import? Runs inside a container without network.

    python3 -I -c <this text> DISTRIBUTION        standard library only, Python 3.8 and later

The last line on standard output is one JSON object:
{"distribution", "version", "modules": [imported…], "failed": {module: error}}.
Exit status 0: everything imports (or there is nothing to import); 1: something does not.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import PurePosixPath

# Top-level names that releases carry along by mistake: they need not import when there are others.
STRAY = {
    "test",
    "tests",
    "testing",
    "doc",
    "docs",
    "example",
    "examples",
    "benchmark",
    "benchmarks",
}
STRAY |= {"script", "scripts", "setup", "conftest", "build", "dist", "tools"}
ENDINGS = (".py", ".so", ".pyd")


def modules(dist: metadata.Distribution) -> list[str]:
    """The importable top-level modules, from the files it installed.

    A folder without `__init__` is a namespace: its packages and modules are taken instead.
    """
    packages: set[tuple[str, ...]] = set()
    plain: set[tuple[str, ...]] = set()
    for file in dist.files or []:
        parts = PurePosixPath(str(file)).parts
        name = parts[-1].partition(".")[0]
        folder = parts[:-1]
        names = (*folder, name)
        if not parts[-1].endswith(ENDINGS) or not all(part.isidentifier() for part in names):
            continue
        if name == "__init__":
            packages.add(folder)
        else:
            plain.add(names)
    # The outermost packages; and modules that no package holds.
    outer = {p for p in packages if p and not any(p[:n] in packages for n in range(1, len(p)))}
    alone = {m for m in plain if not any(m[:n] in packages for n in range(1, len(m)))}
    found = sorted(".".join(parts) for parts in outer | {m for m in alone if m[-1] != "__main__"})
    public = [n for n in found if n.partition(".")[0] not in STRAY and not n.startswith("_")]
    return public or found


def main(name: str) -> int:
    # What packages print while they are imported is not our answer.
    answer = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    try:
        dist = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        sys.stderr.write(f"{name} is not installed\n")
        return 1
    done: list[str] = []
    failed: dict[str, str] = {}
    for module in modules(dist):
        try:
            importlib.import_module(module)
            done.append(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            failed[module] = f"{type(error).__name__}: {error}"[:500]
    facts = {"distribution": name, "version": dist.version, "modules": done, "failed": failed}
    answer.write("\n" + json.dumps(facts) + "\n")
    answer.flush()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # whatever an import has put in their place
            stream.flush()
    # Not sys.exit: threads that an import started must not keep us here.
    os._exit(1 if failed else 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
