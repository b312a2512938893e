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


def news(feed, epoch, seen):
    """What the feed says of itself, and its events behind `seen`, oldest first."""
    address, found = feed, []
    while address:
        with urlopen(address, timeout=60) as answer:
            page = json.load(answer)
        if address == feed:
            head = page["_monitor"]
            if head["epoch"] != epoch:
                seen = 0  # another life of the log, after a restore: read it from its beginning
            if head["expires"] and head["expires"] < time.strftime("%Y-%m-%dT%TZ", time.gmtime()):
                print(f"{feed}: stale since {head['expires']}", file=sys.stderr)
            if seen > head["head"]:
                sys.exit(f"{feed}: ends at {head['head']}, but {seen} was read before")
            if 0 < seen < head["oldest"] - 1:
                print(f"{feed}: events before {head['oldest']} are gone", file=sys.stderr)
            seen = max(seen, head["oldest"] - 1)
        events = [item["_release"] for item in page["items"]]
        found += [event for event in events if number(event) > seen]
        first = min(map(number, events), default=head["head"] + 1)
        address = urljoin(address, page.get("next_url", "")) if first > seen + 1 else None
        if "next_url" not in page:
            break
    return head, found[::-1]


def number(event):
    return int(event["cursor"].rpartition(".")[2])


def look(feed, file):
    """Print what is new. The cursor moves with each line, so a restart goes on behind the last."""
    epoch, _, seen = file.read_text().strip().rpartition(".") if file.exists() else ("", "", 0)
    head, events = news(feed, epoch, int(seen))
    for event in events:
        if event["kind"] == "released":
            print(event["purl"], event["version"], event["published"], flush=True)
            remember(file, event["cursor"])
    remember(file, f"{head['epoch']}.{head['head']}")


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
