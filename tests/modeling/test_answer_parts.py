"""The parts of a question-answering head's logits, which are added, and learn alone."""

import pytest
import torch
from torch.nn import functional as F  # noqa: N812

from dragon_core.modeling import DragonForMultipleChoice, DragonForSequenceClassification
from tests.modeling.test_models import random_batch, small_config

Model = DragonForMultipleChoice | DragonForSequenceClassification


def gradients(model: Model, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None and p.grad.any()}


def without(model: Model, part: str) -> Model:
    """The model, of which a part of the head says nothing."""
    with torch.no_grad():
        for parameter in model.classifier.get_submodule(part).parameters():
            parameter.zero_()
    return model


def new_model() -> DragonForMultipleChoice:
    torch.manual_seed(0)
    return DragonForMultipleChoice(small_config(relevance_readout=True, initializer_range=0.5)).eval()


def test_what_text_graph_and_relevance_say_is_added() -> None:
    batch = random_batch([5, 3, 6, 4])
    whole = new_model()(num_choices=2, **batch).logits
    of_relevance = without(new_model(), "perceptron")(num_choices=2, **batch).logits
    of_the_rest = without(new_model(), "of_relevance")(num_choices=2, **batch).logits
    torch.testing.assert_close(whole, of_relevance + of_the_rest)
    assert (of_relevance[:, 0] != of_relevance[:, 1]).all()


def test_each_part_learns_as_if_it_were_alone() -> None:
    batch, labels = random_batch([5, 3, 6, 4]), torch.tensor([1, 0])
    together, alone = new_model(), without(new_model(), "of_relevance")
    of_whole = gradients(together, together(num_choices=2, labels=labels, **batch).loss)
    logits = alone(num_choices=2, **batch).logits
    of_part = gradients(alone, F.cross_entropy(logits, labels))
    assert "classifier.relevance.norm.weight" in of_whole.keys() - of_part.keys()
    for name, gradient in of_part.items():
        if "relevance" not in name:
            torch.testing.assert_close(of_whole[name], gradient, atol=1e-5, rtol=1e-4)


def test_questions_with_fewer_choices_are_filled_up() -> None:
    counts, labels = torch.tensor([3, 1]), torch.tensor([2, 0])
    found = new_model()(num_choices=counts, labels=labels, **random_batch([5, 3, 6, 4]))
    assert found.logits[1].tolist()[1:] == [-torch.inf] * 2
    assert found.loss.isfinite()


@pytest.mark.parametrize(("num_labels", "labels"), [(1, torch.tensor([0.5, 2.0])), (3, torch.tensor([2, 0]))])
def test_labels_are_learned_by_each_part_and_numbers_by_the_sum(num_labels: int, labels: torch.Tensor) -> None:
    config = small_config(relevance_readout=True, initializer_range=0.5, num_labels=num_labels)
    batch = random_batch([5, 3])
    torch.manual_seed(0)
    model = DragonForSequenceClassification(config).eval()
    found = model(labels=labels, **batch)
    if num_labels == 1:
        expected = F.mse_loss(found.logits.squeeze(1), labels)
    else:
        state = {name: value.clone() for name, value in model.state_dict().items()}
        expected = torch.zeros(())
        for part in ("perceptron", "of_relevance"):
            model.load_state_dict(state)
            expected = expected + F.cross_entropy(without(model, part)(**batch).logits, labels)
    torch.testing.assert_close(found.loss, expected)
