"""What Cosmos DB keeps, in memory: the ports of the use cases with honest ETags, and with the time that each call takes."""
