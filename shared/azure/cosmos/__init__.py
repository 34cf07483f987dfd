"""Cosmos DB: one file a stored document, on one database."""
