"""Check a release monitor's feed without the monitor: Python and OpenSSH's ssh-keygen will do.

usage: python verify.py FEED KEY

FEED is a path or an http(s) address of feed.json, KEY a file with the monitor's public key
(feed-key.pub). Ends with 0 where everything is as it was published.
"""

import hashlib
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin
from urllib.request import urlopen

WHO, WHAT = "release-monitor", "release-monitor-feed"


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def check_signature(data, key):
    """What was signed is the file with null in place of the signature."""
    signature = json.loads(data)["_monitor"]["signature"] or sys.exit("feed.json is not signed")
    plain = re.sub(rb'"signature":"[^"]*"', b'"signature":null', data, count=1)
    with TemporaryDirectory() as folder:
        signers, file = Path(folder, "signers"), Path(folder, "signature")
        signers.write_text(f'{WHO} namespaces="{WHAT}" {key}')
        file.write_text(signature)
        command = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", WHO, "-n", WHAT, "-s", file]
        if subprocess.run(command, input=plain, capture_output=True, check=False).returncode:
            sys.exit("feed.json is not signed by this key")


def check_items(document, where):
    """The digest is of the item without it: keys in order, no white space (RFC 8785)."""
    for item in reversed(document["items"]):
        told = item.pop("_digest")
        plain = json.dumps(item, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        if digest(plain.encode()) != told:
            sys.exit(f"{where}: {item['id']} was altered")


def main(feed, key):
    address, before = feed if "://" in feed else Path(feed).absolute().as_uri(), None
    with urlopen(address, timeout=60) as answer:
        data = answer.read()
    check_signature(data, key)
    head = json.loads(data)["_monitor"]
    if head["expires"] < time.strftime("%Y-%m-%dT%TZ", time.gmtime()):
        sys.exit(f"feed.json is stale since {head['expires']}")
    last = head["head"] // head["page_size"] - 1
    for page in range(last, (head["oldest"] - 1) // head["page_size"] - 1, -1):
        path = f"pages/{head['epoch']}.{head['page_size']}/{page // 1000:03d}/{page:07d}.json"
        before = before or head["before"]
        with urlopen(urljoin(address, path), timeout=60) as answer:
            data = answer.read()
        if digest(data) != before:
            check_items(json.loads(data), f"page {page}")
            sys.exit(f"page {page} was altered")
        before = json.loads(data)["_monitor"]["before"]
    print(f"as published: {head['epoch']}.{head['head']}, until {head['expires']}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_text())
