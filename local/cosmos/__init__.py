"""A Cosmos DB account on this machine: npm's @vercel/cosmosdb-server with the differences from the service mended.

The mending is done in JavaScript inside the same process (server.js, handlers.js, documents.js): partitions, time to live,
transactional batches, OFFSET LIMIT and missing items need the documents themselves, and a proxy in front would cost as much
as the database.
"""
