"""Linked nodes to subgraphs, in shards that training reads."""

from dragon_core.subgraph.extraction import NodeType, Subgraph, SubgraphExtractor, SubgraphParams
from dragon_core.subgraph.schema import SUBGRAPHS
from dragon_core.subgraph.stage import ExtractSubgraphs

__all__ = ["SUBGRAPHS", "ExtractSubgraphs", "NodeType", "Subgraph", "SubgraphExtractor", "SubgraphParams"]
