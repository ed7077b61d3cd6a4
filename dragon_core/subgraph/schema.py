"""Arrow schema of the subgraph shards: a segment of text with the part of the graph around what it names."""

import numpy as np
import pyarrow as pa


def subgraphs_schema(max_nodes: int, num_relations: int) -> pa.Schema:
    """The schema, with the smallest types that hold all positions and relations.

    Args:
        max_nodes: Most nodes of a subgraph.
        num_relations: Relations of the graph.
    """
    return pa.schema([("segment_id", pa.int64()), ("text", pa.string()), *subgraph_fields(max_nodes, num_relations)])


def subgraph_fields(max_nodes: int, num_relations: int) -> list[pa.Field]:
    """The columns of a subgraph: nodes, and edges between positions of nodes."""
    position, relation = smallest(max_nodes), smallest(num_relations)
    types = {
        "node_id": pa.int32(),
        "node_type": pa.int8(),
        "node_score": pa.float32(),
        "head": position,
        "relation": relation,
        "tail": position,
    }
    return [pa.field(name, pa.list_(kind)) for name, kind in types.items()]


def smallest(count: int) -> pa.DataType:
    """The smallest of the types that hold the numbers below `count`: uint8, or int16 as in the graph."""
    return pa.uint8() if count <= np.iinfo(np.uint8).max + 1 else pa.int16()
