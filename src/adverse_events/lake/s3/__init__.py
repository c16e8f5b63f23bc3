"""The lake in a bucket: `lake.S3Lake` writes it, `reader.S3Reader` reads it."""
