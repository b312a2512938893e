"""What is known about upstreams."""
