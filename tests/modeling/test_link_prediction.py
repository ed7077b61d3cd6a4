"""Scores against those of PyTorch Geometric's models of knowledge graphs."""

import math

import pytest
import torch
from torch_geometric.nn.kge import ComplEx, DistMult, RotatE, TransE

from dragon_core.modeling import DragonConfig
from dragon_core.modeling.link_prediction import LinkPredictor

NODES, RELATIONS, D = 9, 6, 8


def predictor(decoder: str, **options: object) -> LinkPredictor:
    torch.manual_seed(1)
    backbone = {"model_type": "bert", "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
    config = DragonConfig(
        backbone,
        node_size=D,
        num_edge_types=RELATIONS,
        link_decoder=decoder,
        link_normalization="none",
        link_scaled=False,
        **options,
    )
    return LinkPredictor(config)


def random_triples() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    head, tail = torch.randint(0, NODES, (2, 20), generator=generator)
    relation = torch.randint(0, RELATIONS, (20,), generator=generator)
    return head, relation, tail, torch.randint(0, NODES, (20, 6), generator=generator)


@pytest.mark.parametrize("decoder", ["distmult", "complex", "transe", "rotate"])
def test_scores_are_those_of_another_implementation(decoder: str) -> None:
    ours, nodes = predictor(decoder), torch.randn(NODES, D, generator=torch.Generator().manual_seed(0))
    head, relation, tail, negatives = random_triples()
    scale = ours.range / math.sqrt(3)
    with torch.no_grad():
        match decoder:
            case "distmult":
                theirs, gamma = DistMult(NODES, RELATIONS, D), 0.0
                theirs.node_emb.weight.copy_(nodes)
                theirs.rel_emb.weight.copy_(ours.relations.weight)
            case "complex":
                theirs, gamma = ComplEx(NODES, RELATIONS, D // 2), 0.0
                for mine, real, imaginary in (
                    (nodes, theirs.node_emb, theirs.node_emb_im),
                    (ours.relations.weight, theirs.rel_emb, theirs.rel_emb_im),
                ):
                    real.weight.copy_(mine[:, : D // 2])
                    imaginary.weight.copy_(mine[:, D // 2 :])
            case "transe":
                theirs, gamma = TransE(NODES, RELATIONS, D, p_norm=2.0), 12.0
                # It scales its vectors to length 1, which ours are given with.
                nodes = torch.nn.functional.normalize(nodes)
                theirs.node_emb.weight.copy_(nodes)
                ours.range = math.sqrt(3)
                theirs.rel_emb.weight.copy_(ours.relations.weight)
            case _:
                theirs, gamma = RotatE(NODES, RELATIONS, D // 2, margin=12.0), 0.0
                theirs.node_emb.weight.copy_(nodes[:, : D // 2] * scale)
                theirs.node_emb_im.weight.copy_(nodes[:, D // 2 :] * scale)
                theirs.rel_emb.weight.copy_(ours.relations.weight * math.pi / ours.range)
        wanted = theirs(head, relation, tail) + gamma
        positive, negative = ours(nodes, head, relation, tail, negatives)
        if decoder == "rotate":
            # Its distance is the length of the whole complex vector, the published one the sum of the moduli.
            assert torch.allclose(positive, ours.score(nodes[head], ours.relations(relation), nodes[tail]))
            assert torch.sign(wanted.diff()).eq(torch.sign(positive.diff())).float().mean() > 0.7
        else:
            torch.testing.assert_close(positive, wanted)
        for column in range(6):
            ends = (negatives[:, column], tail) if column < 3 else (head, negatives[:, column])
            alone, _ = ours(nodes, ends[0], relation, ends[1], negatives)
            torch.testing.assert_close(negative[:, column], alone)


@pytest.mark.parametrize("decoder", ["distmult", "complex", "transe", "rotate"])
def test_candidates_have_the_scores_of_negatives(decoder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # So few at a time that several rounds are needed.
    monkeypatch.setattr("dragon_core.modeling.link_prediction.CANDIDATE_NUMBERS", 3 * 6 * D)
    ours, nodes = predictor(decoder), torch.randn(NODES, D)
    triples = random_triples()
    torch.testing.assert_close(ours.candidate_scores(nodes, *triples), ours(nodes, *triples)[1])
    nothing = [tensor[:0] for tensor in triples]
    assert ours.candidate_scores(nodes, *nothing).shape == (0, 6)
