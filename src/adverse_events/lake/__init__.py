"""The lake: where assessments, rejects and receipts are kept, one partition per window."""

from adverse_events.lake.local import LocalLake
from adverse_events.lake.protocol import Lake
from adverse_events.lake.receipt import Part, Receipt
from adverse_events.lake.settings import LakeSettings

__all__ = ["Lake", "LakeSettings", "LocalLake", "Part", "Receipt"]
