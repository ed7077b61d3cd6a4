"""Bad batches are refused by a sentence that names the example and the value; unusual ones give right results."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from dragon_core.modeling import DragonForMultipleChoice, DragonForPreTraining, DragonModel
from dragon_core.training.graph_batch import GraphCollator
from dragon_core.training.subgraphs import Subgraphs
from tests.modeling.test_models import graph_of, random_batch, small_config

Batch = dict[str, torch.Tensor]


def changed(name: str, position: tuple[int, ...], value: float) -> Callable[[Batch], None]:
    def change(batch: Batch) -> None:
        batch[name][position] = value

    return change


LINKS = {
    "link_head": torch.tensor([1, 6]),
    "link_relation": torch.tensor([3, 0]),
    "link_tail": torch.tensor([2, 7]),
    "link_negatives": torch.tensor([[3, 4], [7, 6]]),
}

# Two graphs, of nodes 0 to 4 and 5 to 8.
BAD = [
    (changed("edge_index", (1, 0), 9), r"example 0: edge 0 from node \d to node 9 leaves the batch; .* 0 and 8"),
    (changed("edge_index", (0, 1), -1), r"edge 1 from node -1 to node \d leaves the batch"),
    (changed("edge_index", (1, 0), 6), r"example 0: edge 0 from node \d to node 6, which is of another example"),
    (changed("edge_type", (12,), 6), r"example 1: edge 12 .* has type 6; it must lie between 0 and 5"),
    (changed("concept_ids", (7,), 21), r"example 1: node 7 is concept 21; it must lie between 0 and 20"),
    (changed("node_types", (2,), 4), r"example 0: node 2 has type 4; it must lie between 0 and 3"),
    (changed("node_scores", (6,), float("nan")), r"example 1: node 6 has score nan; it must be finite"),
    (changed("node_scores", (3,), float("inf")), r"example 0: node 3 has score inf"),
    (changed("node_batch", (0,), 1), r"node 1 is of example 0; node_batch must rise"),
    (changed("input_ids", (1, 3), 60), r"example 1 has token 60; it must lie between 0 and 59"),
    (changed("link_tail", (1,), 9), r"example 1: triple 1, \(6, 0, 9\) .* not there; it must lie between 0 and 8"),
    (changed("link_negatives", (0, 1), 5), r"example 0: triple 0, .* negatives \[3, 5\], names a node of another"),
    (changed("link_relation", (0,), 6), r"example 0: triple 0, \(1, 6, 2\) .* unknown relation; .* 0 and 5"),
]


@pytest.mark.parametrize(("change", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_batches_name_the_example_and_the_value(change: Callable[[Batch], None], message: str) -> None:
    model = DragonForPreTraining(small_config()).eval()
    batch = random_batch([5, 4]) | {name: tensor.clone() for name, tensor in LINKS.items()}
    assert model(**batch).loss.isfinite()
    change(batch)
    with pytest.raises(ValueError, match=message):
        model(**batch)


def test_a_text_longer_than_the_positions_is_refused() -> None:
    model = DragonModel(small_config())
    batch = random_batch([3, 2]) | {"input_ids": torch.ones(2, 40, dtype=torch.long)}
    mask = torch.ones(2, 40, dtype=torch.long)
    mask[0, 20:] = 0
    mask[1, 35:] = 0
    message = "example 1 has 35 tokens, padded to 40; the language model takes at most 32"
    with pytest.raises(ValueError, match=message):
        model(attention_mask=mask, **batch)
    with pytest.raises(ValueError, match="example 0 has 40 tokens"):
        model(**batch)


def test_a_text_without_even_a_context_node_is_refused() -> None:
    batch = random_batch([3])
    batch["input_ids"] = batch["input_ids"].repeat(2, 1)
    with pytest.raises(ValueError, match="example 1 has no node; a graph has at least its context node"):
        DragonModel(small_config())(**batch)


def test_a_batch_of_a_context_node_alone_is_right_in_training_too() -> None:
    model = DragonForMultipleChoice(small_config())
    batch = random_batch([1]) | {"node_scores": torch.zeros(1)}
    for mode in (model.train(), model.eval()):
        output = mode(num_choices=1, labels=torch.tensor([0]), **batch)
        assert output.logits.isfinite().all()
    torch.testing.assert_close(output.node_attention, torch.ones_like(output.node_attention))


def test_an_empty_subgraph_between_others_changes_nothing_for_them() -> None:
    """The collator gives it a context node."""
    arrays = {
        "node_counts": [2, 0, 3],
        "edge_counts": [1, 0, 2],
        "node_id": [4, 5, 6, 7, 8],
        "node_type": [0, 2, 0, 0, 2],
        "node_score": [1.0, 0.5, 1.0, 1.0, 0.5],
        "head": [0, 0, 1],
        "relation": [0, 0, 0],
        "tail": [1, 2, 2],
    }
    columns = {name: np.array(values) for name, values in arrays.items()}
    subgraphs = Subgraphs(**columns | {"node_score": columns["node_score"].astype(np.float32)})
    graphs = GraphCollator(1)(subgraphs)
    model = DragonModel(small_config()).eval()
    batch = graphs | {"input_ids": torch.randint(5, 60, (3, 7), generator=torch.Generator().manual_seed(0))}
    together = model(**batch)
    assert together.node_hidden_state.isfinite().all()
    for example in range(3):
        alone = model(**graph_of(batch, example))
        torch.testing.assert_close(alone.pooler_output[0], together.pooler_output[example])
