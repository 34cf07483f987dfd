"""sluice.yaml and the app settings."""
