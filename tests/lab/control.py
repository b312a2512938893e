"""Changing a registry of the lab from another process, over HTTP."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.lab.answers import LabError

# fmt: off
ACTIONS = frozenset({
    "publish", "yank", "unyank", "withdraw", "retag", "rename", "set_prerelease", "set_status",
    "many_projects", "rewrite", "fail", "heal", "freeze", "thaw", "set_time",
    "requests", "counts", "forget", "urls",
})
# fmt: on

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Control:
    """The methods of a Registry in another process: `Control(url).publish(ecosystem="pypi", …)`.

    Arguments go by name; `files` are bytes by name. Raises LabError with the lab's own words.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def __getattr__(self, action: str) -> Callable[..., Any]:
        if action not in ACTIONS:
            raise AttributeError(action)

        def call(**arguments: Any) -> Any:
            if files := arguments.get("files"):
                files = {name: base64.b64encode(data).decode() for name, data in files.items()}
                arguments["files"] = files
            body = json.dumps(arguments, default=_plain).encode()
            asked = urllib.request.Request(
                f"{self.url}/{action}", body, {"Content-Type": "application/json"}
            )
            try:
                with _DIRECT.open(asked, timeout=60) as answer:
                    return json.load(answer)["result"]
            except urllib.error.HTTPError as error:
                with error:
                    raise LabError(json.load(error)["error"]) from None

        return call


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode()
    raise TypeError(f"{value!r} cannot be sent to the lab")
