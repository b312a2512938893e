"""`python -m monitor.settings docs|config`: print the page or the file written from the structs."""

import sys

from monitor.settings.pages import settings_page, shipped_text

PAGES = {"docs": settings_page, "config": shipped_text}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in PAGES:
        sys.exit(__doc__)
    sys.stdout.write(PAGES[sys.argv[1]]())
