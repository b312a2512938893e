"""Recipes of other tools become upstreams that can be watched.

`read(path)` understands nvchecker's configuration, requirements and lock files, plain lists,
uscan's watch files, PKGBUILD and .SRCINFO, ebuilds, APKBUILDs, Buildroot, Termux and Spack
packages, Anitya's export, and trees of these. Each recipe comes out as an `Imported`: with
the best upstream and its settings, or with the reason why it has none.

Recipes are data: nothing in them is run, and no address in them is asked.
"""

from monitor.importing.result import Imported, Recipe, State
from monitor.importing.walking import FORMATS, detect, read

__all__ = ["FORMATS", "Imported", "Recipe", "State", "detect", "read"]
