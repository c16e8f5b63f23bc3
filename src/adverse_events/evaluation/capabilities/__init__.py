"""What a classifier can and cannot do, one capability at a time, on posts written by the project.

After the behavioural tests of Ribeiro et al. 2020 (CheckList): scores on a corpus hide which mistakes are systematic.
"""

from adverse_events.evaluation.capabilities.cases import Case, hashes, load
from adverse_events.evaluation.capabilities.score import BAR_EACH, BAR_OVERALL, score_capabilities

__all__ = ["BAR_EACH", "BAR_OVERALL", "Case", "hashes", "load", "score_capabilities"]
