"""Arrow schemas of questions, and of what a model reads of them."""

import pyarrow as pa

from dragon_core.subgraph import SUBGRAPHS

SPLITS = ("train", "dev", "test")

QUESTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        ("question", pa.string()),
        ("choices", pa.list_(pa.string())),
        # Position of the right choice.
        ("answer", pa.int8()),
    ]
)

# A row a choice, the choices of a question side by side; `text` is the choice.
CHOICES = pa.schema(
    [("question_id", pa.string()), ("question", pa.string()), ("answer", pa.int8())]
    + [SUBGRAPHS.field(name) for name in SUBGRAPHS.names if name != "segment_id"]
)

PREDICTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        ("answer", pa.int8()),
        ("predicted", pa.int8()),
        ("probabilities", pa.list_(pa.float32())),
    ]
)


def split_name(split: str) -> str:
    """File name of a split."""
    return f"{split}.parquet"
