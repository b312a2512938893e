"""Where registries are at home."""

from __future__ import annotations


def home_of(purl: str) -> str:
    """The public address of the registry that a purl belongs to, e.g. of "pkg:pypi/pip".

    Taken from `packageurl.contrib.purl2url`, so that no registry's host is
    spelled out here. Raises ValueError for a type that it does not know.
    """
    from urllib.parse import urlsplit

    from packageurl.contrib import purl2url

    address = purl2url.get_repo_url(purl)  # type: ignore[no-untyped-call]
    if not address:
        raise ValueError(f"{purl}: no public address is known for this type")
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
