"""Everything that Sluice needs around it, on this machine: storage, database, Azure, a fleet with its repository, and the host."""
