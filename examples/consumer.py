"""Follow a release monitor's feed: print each new release once, remember how far it was read.

usage: python consumer.py FEED CURSOR_FILE [SECONDS]

FEED is a path or an http(s) address. With SECONDS, look again that often; without, look once.
"""

import json
import sys
import time
from pathlib import Path
from urllib.parse import urljoin
from urllib.request import urlopen


def look(feed, file):
    """Print what is new. The cursor moves with each line, so a restart goes on behind the last."""
    epoch, _, seen = file.read_text().strip().rpartition(".") if file.exists() else ("", "", 0)
    page, address = read(feed), feed
    head, items = page["_monitor"], page["items"]
    # Another epoch is another life of the log, after a restore: it is read from its beginning.
    seen = int(seen) if epoch == head["epoch"] else 0
    if seen > head["head"]:
        sys.exit(f"{feed}: ends at {head['head']}, but {seen} was read before")
    if 0 < seen < head["oldest"] - 1:
        print(f"{feed}: events before {head['oldest']} are gone", file=sys.stderr)
    if (head["expires"] or "Z") < time.strftime("%Y-%m-%dT%TZ", time.gmtime()):
        print(f"{feed}: stale since {head['expires']}", file=sys.stderr)
    while "next_url" in page and not (items and number(items[-1]) <= seen + 1):
        address = urljoin(address, page["next_url"])
        page = read(address)
        items += page["items"]
    for item in reversed(items):
        event = item["_release"]
        if event["kind"] == "released" and number(item) > seen:
            print(event["purl"], event["version"], event["published"], flush=True)
            remember(file, event["cursor"])
    remember(file, f"{head['epoch']}.{head['head']}")


def read(address):
    with urlopen(address, timeout=60) as answer:
        return json.load(answer)


def number(item):
    return int(item["_release"]["cursor"].rpartition(".")[2])


def remember(file, cursor):
    aside = file.with_name(file.name + ".new")
    aside.write_text(cursor + "\n")
    aside.replace(file)


if __name__ == "__main__":
    feed, file = sys.argv[1], Path(sys.argv[2])
    while True:
        look(feed if "://" in feed else Path(feed).absolute().as_uri(), file)
        if len(sys.argv) < 4:
            break
        time.sleep(float(sys.argv[3]))
