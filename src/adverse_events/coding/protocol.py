"""What every condition coder offers, embedded or remote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adverse_events.records import Coding, DrugMention


class ConditionCoder(Protocol):
    """Finds conditions in texts and links them to ICD-10-CM."""

    @property
    def coder_version(self) -> str:
        """Version of the coder, its rules and its lexicon; changes whenever a result could."""

    @property
    def icd10cm_release(self) -> str:
        """ICD-10-CM release the codes belong to, ``YYYY-MM`` of its effective date."""

    @property
    def served_by(self) -> str:
        """The remote service that answered so far; empty for a coder in process."""

    def code(self, texts: Sequence[str], drug_mentions: Sequence[Sequence[DrugMention]]) -> list[Coding]:
        """Find the conditions of each text.

        Args:
            texts: Post texts; empty and very long ones are fine.
            drug_mentions: The drugs named in each text, offsets in code points of that text; same length.

        Returns:
            One coding per text, same order; its entities are asserted or not (traits tell).

        Raises:
            ContractError: `texts` and `drug_mentions` differ in length, or a service's answers break the contract.
            TransientServiceError: A service that may answer if asked again.
            PermanentServiceError: A service that will not answer for any text.
        """
