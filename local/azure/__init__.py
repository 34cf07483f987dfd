"""A simulator of the parts of Azure that Sluice talks to: one process, one host, the real protocols."""
