"""Arrow schemas of the corpus artifact's tables."""

import pyarrow as pa

HOLDOUT_NAME = "holdout.parquet"

SEGMENTS = pa.schema(
    [
        ("segment_id", pa.int64()),
        ("doc_ids", pa.list_(pa.string())),
        ("text", pa.string()),
        ("source", pa.string()),
    ]
)

HOLDOUT = pa.schema([("doc_id", pa.string()), ("text", pa.string()), ("source", pa.string())])


def part_name(number: int) -> str:
    """File name of a shard."""
    return f"part-{number:05}.parquet"
