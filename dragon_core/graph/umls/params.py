"""What is read of the Metathesaurus."""

from typing import Literal

import polars as pl
from pydantic import Field

from dragon_core.graph.source_params import SourceParams


class UmlsParams(SourceParams):
    """The UMLS Metathesaurus."""

    source: Literal["umls"] = "umls"
    language: str = Field("ENG", min_length=3, description="Names of this language (LAT).")
    sources: tuple[str, ...] = Field(
        (), description="Names, definitions and relations of these source vocabularies (SAB); all if empty."
    )
    suppressed: bool = Field(False, description="Read what is marked as suppressed, too (SUPPRESS other than N).")
    semantic_types: tuple[str, ...] = Field(
        (), description="Concepts of one of these types, told by name or TUI; all if empty."
    )
    relations: tuple[str, ...] = Field(
        (),
        description="Relations of these names or labels (RELA or REL); if empty all, save that of siblings (SIB), which"
        " says no more than the parents they share.",
    )

    def is_wanted(self) -> pl.Expr:
        """Whether a row with the columns SAB and SUPPRESS is of a wanted source, and not suppressed."""
        of_source = pl.col("SAB").is_in(self.sources) if self.sources else pl.lit(True)
        return of_source & (pl.lit(self.suppressed) | (pl.col("SUPPRESS") == "N"))
