"""Parameters of the methods of linking."""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from dragon_core.artifacts import Parameters


class DictionaryParams(Parameters):
    """Names of nodes found in text as written and inflected."""

    method: Literal["dictionary"] = "dictionary"
    overlap: Literal["longest", "all"] = Field(
        "all", description="Of mentions that overlap, keep all, or the longest only (the first of equal ones)."
    )
    max_candidates: int = Field(3, ge=1, le=100, description="Nodes that a span is linked to at most, the best first.")
    max_words: int = Field(5, ge=1, le=50, description="Words of a name at most; longer names are not looked for.")
    inflections: bool = Field(True, description="Find names in their inflected forms too.")
    determiners: bool = Field(
        True, description="Find names across articles and possessives: ride bike in `ride a bike`."
    )
    stop_words: bool = Field(
        True,
        description="Leave out spans of function words, with a pronoun at an end, and single characters or numbers.",
    )
    stop_phrases: tuple[str, ...] = Field((), description="Spans that are never linked, whatever they name.")


class SpacyParams(Parameters):
    """The published recipe: names found by the lemmas that spaCy's tagger gives."""

    method: Literal["spacy"] = "spacy"
    pipeline: str = Field("en_core_web_sm", description="Name of an installed spaCy pipeline with a lemmatizer.")
    role: Literal["question", "answer"] = Field(
        "question", description="Drop concepts with a stop word (question), or of stop words only (answer)."
    )


class ConceptParams(Parameters):
    """How text is linked to concepts."""

    method: Literal["concept"] = "concept"
    threshold: float = Field(
        0.85,
        gt=0,
        le=1,
        description="Similarity to a name, of 1 for one of the same words, that a candidate must have.",
    )
    candidates: int = Field(1, ge=1, le=20, description="Nodes kept of one span, best first.")


LinkingParams = Annotated[DictionaryParams | SpacyParams | ConceptParams, Field(discriminator="method")]
PARAMS: TypeAdapter[LinkingParams] = TypeAdapter(LinkingParams)
