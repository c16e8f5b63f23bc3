"""What every condition coder offers, embedded or remote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.records import DrugMention, Entity


class ConditionCoder(Protocol):
    """Finds conditions in texts and links them to ICD-10-CM.

    Attributes:
        coder_version: Version of the coder, its rules and its lexicon; changes whenever a result could.
        icd10cm_release: ICD-10-CM release the codes belong to, ``YYYY-MM`` of its effective date.
    """

    @property
    def coder_version(self) -> str:
        """Version of the coder, its rules and its lexicon."""

    @property
    def icd10cm_release(self) -> str:
        """ICD-10-CM release of the codes."""

    def code(self, texts: Sequence[str], drug_mentions: Sequence[Sequence[DrugMention]]) -> list[tuple[Entity, ...]]:
        """Find the conditions of each text.

        Args:
            texts: Post texts; empty and very long ones are fine.
            drug_mentions: The drugs named in each text, offsets in code points of that text; same length.

        Returns:
            One tuple per text, same order: its entities in text order, asserted or not (traits tell),
            never overlapping; empty when the coder recognises nothing.

        Raises:
            ContractError: `texts` and `drug_mentions` differ in length.
        """
