"""Why a model answers as it does: what it attended to in the graph, and what would change without it."""

from dragon_core.qa.explanation.explaining import Explanation, GraphExplanation, Removal, explain
from dragon_core.qa.explanation.page import explanation_page
from dragon_core.qa.explanation.paths import ConceptPath

__all__ = ["ConceptPath", "Explanation", "GraphExplanation", "Removal", "explain", "explanation_page"]
