"""Arrow schema of the mentions shards."""

import pyarrow as pa

MENTION = pa.struct(
    [
        # Characters of the segment's text: text[start:end] names the node.
        pa.field("start", pa.int32()),
        pa.field("end", pa.int32()),
        pa.field("node", pa.int32()),
        pa.field("score", pa.float32()),
    ]
)

MENTIONS = pa.schema([("segment_id", pa.int64()), ("mentions", pa.list_(MENTION))])
