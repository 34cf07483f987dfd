"""The demonstration: one pushed commit on its way through a fleet."""
