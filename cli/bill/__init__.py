"""What a month costs in Azure: how much is used, at which public prices."""
