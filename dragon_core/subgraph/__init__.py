"""Linked nodes to subgraphs, in shards that training reads."""

from dragon_core.subgraph.candidates import Float32s, NamedNodes
from dragon_core.subgraph.errors import SubgraphError
from dragon_core.subgraph.extraction import SubgraphBatch, SubgraphExtractor
from dragon_core.subgraph.inputs import check_encoder, check_inputs, check_origins
from dragon_core.subgraph.opening import open_extractor
from dragon_core.subgraph.params import NodeType, SubgraphParams
from dragon_core.subgraph.schema import subgraph_fields, subgraphs_schema
from dragon_core.subgraph.stage import ExtractSubgraphs

__all__ = [
    "ExtractSubgraphs",
    "Float32s",
    "NamedNodes",
    "NodeType",
    "SubgraphBatch",
    "SubgraphError",
    "SubgraphExtractor",
    "SubgraphParams",
    "check_encoder",
    "check_inputs",
    "check_origins",
    "open_extractor",
    "subgraph_fields",
    "subgraphs_schema",
]
