"""The use cases, made of the adapters: one file a neighbourhood. Those of a rollout, from push to end, are in bootstrap.py."""
