"""Speed, measured side by side in one run: `make bench`.

Each module has `run()`, which yields objects of the form {name, ours, other,
what, unit, ratio, goal, holds}: `ours` and `other` in `unit`, `what` says what
the other is, `ratio` is ours to other, `goal` what it must not exceed.
"""
