"""`python -m bench [WORD...]`: run the benchmarks whose names hold a word, one JSON line each.

With --check it ends with 1 where a goal is not met. Progress goes to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def modules() -> list[str]:
    """The benchmarks, by name."""
    folder = Path(__file__).parent
    return sorted(path.stem for path in folder.glob("*.py") if path.stem[0] != "_")


def results(words: list[str]) -> Iterator[dict[str, Any]]:
    """Every result of the chosen modules."""
    for name in modules():
        if words and not any(word in name for word in words):
            continue
        module = import_module(f"bench.{name}")
        if hasattr(module, "run"):
            print(f"bench.{name} …", file=sys.stderr, flush=True)
            yield from module.run()


def main() -> int:
    words = [word for word in sys.argv[1:] if word != "--check"]
    missed = 0
    for result in results(words):
        print(json.dumps(result), flush=True)
        if not result["holds"]:
            missed += 1
            print(f"missed: {result['name']}: {result['ratio']:.2f}, the goal is {result['goal']}",
                  file=sys.stderr)  # fmt: skip
    return 1 if missed and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
