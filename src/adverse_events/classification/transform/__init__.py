"""The classifier as SageMaker Batch Transform jobs."""
