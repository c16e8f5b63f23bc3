"""The coder that asks Amazon Comprehend Medical."""
