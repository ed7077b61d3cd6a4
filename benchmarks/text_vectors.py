"""How much of a text its first token tells, and how much the mean of its tokens: what may speak for a text to a graph.

    python -m benchmarks.text_vectors

Of test questions, each with its right answer, read by the encoder of `benchmarks.answers`: how far the vectors of
different texts are from their mean, as a share of their length (both root mean squares), after each layer. Of
packaged encoders it needs no network; a vector that is the same for every text has a spread of 0.
"""

import torch
from transformers import AutoModel, AutoTokenizer

from benchmarks.answer_data import ENCODER, QUESTION_SETS, questions_of
from benchmarks.reporting import report, report_machine
from dragon_core.embedding.encoder import find_encoder
from dragon_core.modeling.token_mean import token_mean
from tests.shared_data import SHARED_DATA

NUM_TEXTS = 512
BATCH_SIZE = 64


def spread(vectors: torch.Tensor) -> float:
    """Root mean square distance of vectors [texts, size] from their mean, as a share of their length."""
    return float((vectors - vectors.mean(0)).norm() / vectors.norm())


@torch.inference_mode()
def vectors_of(pairs: list[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """[layers, texts, size] of the first token, and of the mean of all, after each layer."""
    folder = find_encoder(ENCODER).root
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    found: dict[str, list[torch.Tensor]] = {"first token": [], "mean of the tokens": []}
    for start in range(0, len(pairs), BATCH_SIZE):
        questions, choices = zip(*pairs[start : start + BATCH_SIZE], strict=True)
        read = tokenizer(list(questions), list(choices), padding=True, return_tensors="pt")
        layers = model(**read, output_hidden_states=True).hidden_states[1:]
        found["first token"].append(torch.stack([layer[:, 0] for layer in layers]))
        mean = [token_mean(layer, read["attention_mask"]) for layer in layers]
        found["mean of the tokens"].append(torch.stack(mean))
    return {name: torch.cat(parts, dim=1) for name, parts in found.items()}


def main() -> None:
    """Measure."""
    if not SHARED_DATA.exists():
        raise SystemExit("The data are not there: set DRAGON_SHARED_DATA.")
    report_machine()
    for name in QUESTION_SETS:
        asked = questions_of(name, "test")[:NUM_TEXTS]
        pairs = [(question.question, question.choices[question.answer or 0]) for question in asked]
        for speaker, layers in vectors_of(pairs).items():
            for number, vectors in enumerate(layers, start=1):
                described = f"{name}, spread of the {speaker} after layer {number}"
                report(described, spread(vectors), "share of the length", len(pairs))


if __name__ == "__main__":
    main()
