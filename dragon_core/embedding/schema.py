"""The files and Arrow schemas of vectors."""

import pyarrow as pa

# The entity table: a row a node.
ENTITIES_NAME = "entities.npy"

TEXT_VECTORS = pa.schema([("segment_id", pa.int64()), ("vector", pa.list_(pa.float32()))])
