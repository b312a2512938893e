"""The whole story against local upstreams: `make demo`.

Real servers stand in for upstreams, the daemon polls them, releases are
published while it runs, and seconds later each stands in the versions
database, in the JSON feed, as a recipe in the build queue, and as an image in
which the package imports. Whoever judges that (`demo.judge`) reads only what
users read.
"""
