"""The parts behind `monitor.formats.archive_names`: words, stems, tags, addresses."""
