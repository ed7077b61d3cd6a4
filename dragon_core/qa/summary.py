"""The last page of a pipeline run: what was made, what the model learnt, and what that was worth."""

import json
from typing import Any

from dragon_core.artifacts import Artifact, ArtifactReference, ArtifactStore
from dragon_core.artifacts.draft import METRICS_NAME
from dragon_core.qa.arms import in_order, title_of
from dragon_core.qa.provenance import Provenance
from dragon_core.qa.report import REPORT_NAME
from dragon_core.qa.report_text import verdict


def run_summary(store: ArtifactStore, checkpoint: ArtifactReference, evaluation: ArtifactReference) -> str:
    """A short table in Markdown, for the UI and the terminal."""
    made_from = Provenance.of(store, checkpoint)
    model, result = store.get(checkpoint), store.get(evaluation)
    learnt, metrics = _json(model, METRICS_NAME), _json(result, METRICS_NAME)
    counts = {
        "graph nodes": (made_from.pretraining.graph, "nodes"),
        "graph edges": (made_from.pretraining.graph, "edges"),
        "segments": (made_from.extraction.corpus, "segments"),
        "mentions": (made_from.extraction.mentions, "mentions"),
        "subgraphs": (made_from.pretraining.subgraphs, "segments"),
    }
    rows = [(name, f"{store.get(ref).manifest.counts[count]:,}") for name, (ref, count) in counts.items()]
    rows += [
        (f"{title}, before -> after", f"{learnt['before'][name]:.3f} -> {learnt['after'][name]:.3f}")
        for name, title in (
            ("mlm_loss", "masked LM, loss"),
            ("mlm_accuracy", "masked LM, accuracy"),
            ("link_loss", "link prediction, loss"),
            ("link_accuracy", "link prediction, accuracy"),
        )
        if name in learnt["after"]
    ]
    rows += [
        (f"questions, {title_of(arm)}", f"{accuracy['accuracy']:.1%} ({accuracy['low']:.1%} to {accuracy['high']:.1%})")
        for arm in in_order(metrics.get("arms", ()))
        for accuracy in [metrics["arms"][arm]]
    ]
    if metrics["questions"]:
        rows.append(("questions, chance", f"{metrics['chance']:.1%}"))
    rows += [("checkpoint", str(model.folder)), ("report", str(result.path(REPORT_NAME)))]
    width = max(len(name) for name, _ in rows)
    table = "\n".join(f"| {name:{width}} | {value} |" for name, value in rows)
    return f"| {'':{width}} | |\n| {'-' * width} | --- |\n{table}\n\n{verdict(metrics)}\n"


def _json(artifact: Artifact, name: str) -> Any:
    return json.loads(artifact.path(name).read_text(encoding="utf-8"))
