"""The use cases. Each takes its ports as arguments and does its I/O through them; decisions are in `shared.domain`."""
