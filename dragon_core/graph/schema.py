"""Arrow schemas of the graph artifact's tables; the id of a node or relation is its row number."""

import pyarrow as pa

NODES_NAME = "nodes.parquet"
RELATIONS_NAME = "relations.parquet"
EDGES_NAME = "edges.parquet"

NODES = pa.schema(
    [
        ("key", pa.string()),
        ("name", pa.string()),
        ("aliases", pa.list_(pa.string())),
        ("description", pa.string()),
        ("types", pa.list_(pa.string())),
    ]
)

RELATIONS = pa.schema([("name", pa.string()), ("template", pa.string()), ("symmetric", pa.bool_())])

EDGES = pa.schema([("head", pa.int32()), ("relation", pa.int16()), ("tail", pa.int32()), ("weight", pa.float32())])
