"""Settings of searches: which drugs are asked for, and how a range is cut into requests."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field
from pydantic_settings import NoDecode

Product = Literal["recent", "all"]

RECENT, EVERYTHING = "x://recent", "x://all"
PRODUCTS: dict[str, Product] = {RECENT: "recent", EVERYTHING: "all"}
"""What source.path may say instead of a file."""

POSTS_PER_PAGE = {"recent": 100, "all": 500}
"""Largest page. Source: "Search Posts", X API v2 documentation, read 2026-11."""

SMALLEST_PAGE = 10


def _listed(value: Any) -> Any:
    """Take names joined by commas for a list of names."""
    if isinstance(value, str):
        return [name.strip() for name in value.strip().strip("[]").replace('"', "").split(",") if name.strip()]
    return value


class SearchSettings(BaseModel, frozen=True, extra="forbid"):
    """Which posts are asked of X when source.path is x://recent or x://all."""

    drugs: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = Field(
        (),
        description="Drugs to search for, names of the drug lexicon joined by commas; each stands for all its brands "
        "and spellings. Empty: the whole lexicon.",
    )
    suffix: str = Field("lang:en -is:retweet", description="Conditions that every post must meet, in X's words.")
    include_ambiguous: bool = Field(
        False,  # noqa: FBT003 - a default
        description="Search for names that are also ordinary words, too; most posts they find are paid for and then "
        "screened out.",
    )
    longest_query_recent: int = Field(512, ge=50, description="Longest query that recent search takes, characters.")
    longest_query_all: int = Field(1024, ge=50, description="Longest query that the full archive takes, characters.")
    hours_per_request: int = Field(
        24,
        ge=1,
        description="Hours asked for at once. Shorter ones cost more requests; a run that is stopped by a cap loses "
        "at most these hours, kept for the next run.",
    )
    reuse_hours: float = Field(
        6, ge=0, description="How long posts that were fetched are read again from x.state_folder, hours; 0: never."
    )
    resume_hours: float = Field(
        72, ge=0, description="How long what is half fetched is kept to go on from, hours; then it is begun again."
    )
    seconds_between_requests: float = Field(
        1, ge=0, description="Shortest time between two requests to the full archive, which takes one a second."
    )

    def longest_query(self, product: Product) -> int:
        """Return the longest query that `product` takes, characters."""
        return self.longest_query_recent if product == "recent" else self.longest_query_all
