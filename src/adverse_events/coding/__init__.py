"""The coding station: find the conditions a positive post tells of and give them ICD-10-CM codes."""
