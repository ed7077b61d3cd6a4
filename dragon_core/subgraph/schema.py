"""Arrow schema of the subgraph shards: a segment of text with the part of the graph around what it names."""

import pyarrow as pa

SUBGRAPHS = pa.schema(
    [
        ("segment_id", pa.int64()),
        ("text", pa.string()),
        # Nodes: rows of the graph's node table; those linked in the text come first.
        ("node_id", pa.list_(pa.int32())),
        ("node_type", pa.list_(pa.int8())),
        ("node_score", pa.list_(pa.float32())),
        # Edges among them: positions in node_id, and the graph's relation ids.
        ("head", pa.list_(pa.int16())),
        ("relation", pa.list_(pa.int16())),
        ("tail", pa.list_(pa.int16())),
    ]
)
