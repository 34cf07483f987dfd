"""The triggers: one blueprint a file, named for what arrives. Each binds, calls a use case, and answers."""
