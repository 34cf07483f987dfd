"""Pure: no clock, no I/O, no randomness. Times come in as arguments."""
