"""Where posts come from: every source reads into the same records, and `spool` stages them masked and sorted."""
