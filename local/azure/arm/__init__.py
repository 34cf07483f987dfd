"""Azure Resource Manager: connected clusters, and extensions and fluxConfigurations on them."""
