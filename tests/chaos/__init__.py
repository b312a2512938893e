"""What mistreats a whole monitor from outside; `rig` is the monitor, the tests stand beside it."""
