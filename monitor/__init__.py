"""A release monitor: it watches upstreams and remembers what they publish."""

__version__ = "0.1.0"
