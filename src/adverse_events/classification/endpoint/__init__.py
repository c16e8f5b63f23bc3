"""The classifier behind a SageMaker endpoint."""
