"""Names of archives, tags and addresses, taken apart: the parts behind `monitor.formats.archive_names`."""
