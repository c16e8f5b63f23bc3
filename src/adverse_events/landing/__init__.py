"""Where posts land first, durably and masked: one protocol, a SQLite file or a DynamoDB table behind it."""
