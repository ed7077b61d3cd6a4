"""Arrow schemas of questions, and of what a model reads of them."""

import pyarrow as pa

from dragon_core.subgraph import subgraph_fields

SPLITS = ("train", "dev", "test")

QUESTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        ("question", pa.string()),
        # A text to answer from; empty if there is none.
        ("context", pa.string()),
        ("choices", pa.list_(pa.string())),
        # What the source calls the choices; empty if it does not name them.
        ("labels", pa.list_(pa.string())),
        # Position of the right choice; null if it is not known.
        ("answer", pa.int8()),
    ]
)

PREDICTIONS = pa.schema(
    [
        ("question_id", pa.string()),
        # Null if it is not known.
        ("answer", pa.int8()),
        ("predicted", pa.int8()),
        ("probabilities", pa.list_(pa.float32())),
    ]
)


def choices_schema(max_nodes: int, num_relations: int) -> pa.Schema:
    """A row a choice, the choices of a question side by side: `text` is the choice, the rest its subgraph.

    Args:
        max_nodes: Most nodes of a subgraph.
        num_relations: Relations of the graph.
    """
    own = [(name, QUESTIONS.field(name).type) for name in ("question_id", "question", "context", "answer")]
    return pa.schema([*own, ("text", pa.string()), *subgraph_fields(max_nodes, num_relations)])


def split_name(split: str) -> str:
    """File name of a split."""
    return f"{split}.parquet"
