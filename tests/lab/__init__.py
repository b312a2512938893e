"""The lab: upstreams to test against, all on loopback, all real where the real thing can run.

registry   one changeable server that speaks PyPI (`pypi`), crates.io (`crates`), GitHub (`github`)
control    the same from another process
servers    rsyncd, Apache httpd, nginx and git over HTTP as child processes of their own
gitrepo    bare repositories whose tags can be made, moved and deleted
world      all of them together with content, and a hand that publishes; `python -m tests.lab`
artefacts  real wheels, sdists, crates and archives, equal bytes for equal arguments
large      listings and indexes of any size, for benchmarks
tools      which programs are needed, which are missing, how to get them

A shape that is ours says where it comes from, and a test compares it with recorded answers where
there are some; what could not be compared is called unverified in its module.
"""
