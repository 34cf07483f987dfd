"""A rollout in virtual time: the app's own use cases against a model of Azure and of the clusters."""
