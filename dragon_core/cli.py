"""The `dragon` program: its commands over the domain. `flows/cli.py` adds those that need Prefect, and is what runs."""

import logging
import sys
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer
from fsspec.implementations.local import LocalFileSystem

from dragon_core.artifacts import Artifact, ArtifactReference, ArtifactStore, LoggedProgress, Stage, cache_folder, make
from dragon_core.artifacts.folder import Folder
from dragon_core.artifacts.lineage import collect_garbage, lineage, unneeded
from dragon_core.graph.wordnet.source import find_or_obtain_wordnet

if TYPE_CHECKING:
    from dragon_core.qa.answering import QuestionAnswerer

app = typer.Typer(
    help="Pretrain a language model and a knowledge graph jointly, as traceable Prefect pipelines.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
artifacts_app = typer.Typer(help="The artifacts of a store.", no_args_is_help=True)
app.add_typer(artifacts_app, name="artifacts")

StoreOption = Annotated[str, typer.Option(help="The store: a folder or a URL.")]
DEFAULT_STORE = ".dragon/store"
ModelOption = Annotated[str, typer.Option(help="The model: finetuned/KEY, or evaluation/KEY for the one it is about.")]
NEWEST_MODEL = "evaluation/latest"
ChoicesOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="One choice; given once for each. None if the model knows its classes."),
]
ContextOption = Annotated[str, typer.Option(help="A text to answer from.")]


@app.command()
def wordnet() -> None:
    """Find WordNet's dictionary files on this machine, or download them, and print their folder."""
    typer.echo(find_or_obtain_wordnet(cache_folder()).path)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="A published checkpoint (DRAGON's or GreaseLM's).")],
    out: Annotated[Path, typer.Option(help="The folder to make; with --to-published the file.")],
    to_published: Annotated[
        bool, typer.Option("--to-published", help="The other way: FILE is the folder of a saved model.")
    ] = False,
    attention_heads: Annotated[
        int | None, typer.Option(min=1, help="Of the language model, if its heads are not 64 wide.")
    ] = None,
) -> None:
    """Turn a published torch checkpoint into a folder that `from_pretrained` loads, or back."""
    from dragon_core.modeling import conversion

    if to_published:
        conversion.to_published(source, out)
        typer.echo(f"{out} is a published checkpoint.")
        return
    config = conversion.convert(source, out, attention_heads)
    lm = config.backbone
    typer.echo(
        f"{out}: {', '.join(config.architectures or [])} on {lm.model_type} ({lm.num_hidden_layers} layers of"
        f" {lm.hidden_size}, {lm.num_attention_heads} heads), {config.num_fusion_layers} fusion layers,"
        f" {config.num_entities:,} entities, link decoder {config.link_decoder}."
    )


@app.command()
def link(
    text: Annotated[str, typer.Argument(help="The text; - reads it from the standard input.")],
    graph: Annotated[str, typer.Option(help="The graph: graph/KEY, or the beginning of a key.")] = "graph/latest",
    params: Annotated[
        str, typer.Option(metavar="JSON", help='Method and options of linking, such as {"method": "spacy"}.')
    ] = "{}",
    linker: Annotated[
        str | None, typer.Option(help="A linker that is built already, such as linker/latest, whatever its graph.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Link one text to a graph, to see by eye what is found; the linker is built once and kept in the store."""
    from dragon_core.linking.one_text import link_text, linker_of

    if text == "-":
        text = sys.stdin.read()
    opened = ArtifactStore(store)
    linked = link_text(opened, opened.resolve(linker) if linker else linker_of(opened, graph, params), text)
    typer.echo("".join(typer.style(piece, bold=True, fg="green") if nodes else piece for piece, nodes in linked.pieces))
    typer.echo(f"\n{linked.coverage}")
    for line in linked.lines:
        typer.echo(line)


@app.command()
def inspect(
    shard: Annotated[str, typer.Argument(help="STORE/subgraphs/KEY/NAME.parquet; KEY may be latest.")],
    row: Annotated[int, typer.Option(help="Which row, from 0.")] = 0,
    picture: Annotated[
        Path | None, typer.Option(help="The picture to draw, .svg or .png; by default it is named after shard and row.")
    ] = None,
) -> None:
    """Print a text, and its subgraph's nodes and edges in words, and draw the subgraph."""
    from dragon_core.subgraph.drawing import draw_subgraph
    from dragon_core.subgraph.inspection import read_subgraph

    subgraph = read_subgraph(shard, row)
    for line in subgraph.lines:
        typer.echo(line)
    picture = picture or Path(f"{Path(shard).stem}-row-{row}.svg")
    draw_subgraph(subgraph, picture)
    typer.echo(f"\nDrawn in {picture}")


@app.command()
def evaluate(
    questions: Annotated[
        Path | None,
        typer.Argument(help="The folder with the files of the question set; none for one that --options name."),
    ] = None,
    source: Annotated[str, typer.Option(help="Which set it is: own, commonsenseqa, ... (docs/questions.md).")] = "own",
    options: Annotated[
        str, typer.Option(metavar="JSON", help='Options of the set, such as {"num_choices": 5} (docs/questions.md).')
    ] = "{}",
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class", help="A choice that all questions have, such as yes, to be told apart as a class; once for each."
        ),
    ] = None,
    answer_edges: Annotated[
        bool,
        typer.Option(
            " /--without-answer-edges",
            help="Leave out edges between what question and choice name.",
            show_default=False,
        ),
    ] = True,
    checkpoint: Annotated[str, typer.Option(help="The checkpoint: checkpoint/KEY.")] = "checkpoint/latest",
    arm: Annotated[
        list[str],
        typer.Option(
            help="What is compared: dragon, the checkpoint, and baselines (docs/evaluation.md); once for each."
        ),
    ] = ["lm", "dragon"],  # noqa: B006
    subject: Annotated[str, typer.Option(help="The arm that is compared with the others.")] = "dragon",
    seed: Annotated[list[int], typer.Option(min=0, max=2**32 - 1, help="Of fine-tuning; given once for each.")] = [0],  # noqa: B006
    train_examples: Annotated[
        int | None, typer.Option(min=1, help="Questions to train on, drawn by the seed; without it all of them.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Most passes over them.")] = 4,
    max_length: Annotated[int, typer.Option(min=8, help="Longest question with a choice, in tokens.")] = 64,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Fine-tune a checkpoint and baselines on questions, and compare them; the flow `evaluate` has all settings."""
    from dragon_core.qa.arms import arms_of
    from dragon_core.qa.evaluation import evaluate_questions
    from dragon_core.qa.parameters import FineTuningParams
    from dragon_core.qa.preparer import ChoiceParams
    from dragon_core.qa.provenance import Provenance
    from dragon_core.qa.reading import reading_of
    from dragon_core.qa.report import REPORT_NAME, ComparisonParams, read_summary

    logging.basicConfig(format="%(message)s")
    log = logging.getLogger("dragon")
    log.setLevel(logging.INFO)
    opened = ArtifactStore(store)

    def made_now(stage: Stage) -> ArtifactReference:
        return make(stage, opened, LoggedProgress(log, str(stage.reference))).reference

    origin = Provenance.of(opened, opened.resolve(checkpoint).reference)
    compared = arms_of(arm)
    evaluation = evaluate_questions(
        origin,
        made_now(reading_of(questions, source, options)),
        ChoiceParams(classes=tuple(classes or ()), answer_edges=answer_edges),
        compared,
        seed,
        FineTuningParams(train_examples=train_examples, epochs=epochs, max_length=max_length),
        ComparisonParams(title=source, subject=subject),
        made_now,
    )
    made = opened.get(evaluation)
    typer.echo(f"{read_summary(made)}The whole report: {made.path(REPORT_NAME)}")


@app.command()
def answer(
    question: Annotated[str, typer.Argument(help="The question; - reads questions as JSON lines from standard input.")],
    choices: ChoicesOption = None,
    context: ContextOption = "",
    model: ModelOption = NEWEST_MODEL,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions that are read at once, of JSON lines.")] = 8,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Answer a question with a fine-tuned model, and print the probabilities; or answer many, a JSON line each.

    A line has id, question, choices and, if there is one, context. Lines that cannot be answered are told on standard
    error; the exit status is 1 then.
    """
    from dragon_core.qa.question_lines import answer_lines

    answerer = _answerer(model, store)
    if question != "-":
        found = answerer(question, choices or [], context)
        typer.echo(found.text)
        typer.echo()
        for choice, probability in zip(found.question.choices, found.probabilities, strict=True):
            typer.echo(f"{probability:6.1%}  {choice}")
        return
    if choices or context:
        raise typer.BadParameter("choices and context stand in the lines when questions are read from standard input.")
    rejects: list[int] = []

    def reject(number: int, reason: str) -> None:
        rejects.append(number)
        typer.echo(f"line {number}: {reason}", err=True)

    for line in answer_lines(answerer, sys.stdin.buffer, reject, batch_size):
        typer.echo(line)
    if rejects:
        raise typer.Exit(1)


@app.command()
def explain(
    question: Annotated[str, typer.Argument(help="The question.")],
    choices: ChoicesOption = None,
    context: ContextOption = "",
    out: Annotated[Path, typer.Option(help="The HTML page to write; it needs no other file.")] = Path("answer.html"),
    model: ModelOption = NEWEST_MODEL,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Answer a question, and write a page that shows what the model looked at in the graph, and what that changes."""
    from dragon_core.qa.explanation import explain as explain_answer
    from dragon_core.qa.explanation import explanation_page

    if out.is_dir():
        raise typer.BadParameter(f"{out} is a folder; give the file to write.")
    try:
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=out.absolute().parent):
            pass
    except OSError as error:
        raise typer.BadParameter(f"{out} cannot be written: {error.strerror}. Give another file.") from error
    answerer = _answerer(model, store)
    explanation = explain_answer(answerer, answerer.question(question, choices or [], context))
    Folder(LocalFileSystem(), str(out.absolute().parent)).write(out.name, explanation_page(explanation))
    typer.echo(f"{explanation.answer.text}\n\nExplained in {out}")


def _answerer(model: str, store: str) -> "QuestionAnswerer":
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    from dragon_core.qa.answering import QuestionAnswerer

    # What transformers tells of loading would hide what is told of questions.
    disable_progress_bar()
    set_verbosity_error()
    return QuestionAnswerer.open(model, store)


@artifacts_app.command("list")
def list_artifacts(store: StoreOption = DEFAULT_STORE) -> None:
    """Name all artifacts, the oldest first."""
    artifacts = sorted(ArtifactStore(store).artifacts(), key=lambda artifact: artifact.manifest.created)
    for artifact in artifacts:
        typer.echo(_line(artifact))


@artifacts_app.command("lineage")
def show_lineage(
    name: Annotated[str, typer.Argument(help="STAGE/KEY, the beginning of a key, or STAGE/latest.")],
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Show what an artifact was made from."""
    opened = ArtifactStore(store)
    for ancestor in lineage(opened, opened.resolve(name)):
        text = ancestor.name
        if ancestor.artifact is not None:
            text = f"{text} (see above)" if ancestor.repeated else _line(ancestor.artifact)
        typer.echo(f"{'  ' * ancestor.depth}{ancestor.role + ': ' if ancestor.role else ''}{text}")


@artifacts_app.command("gc")
def remove_unneeded(
    keep: Annotated[int, typer.Option(min=1, help="Newest artifacts of each stage to keep, with their lineage.")] = 1,
    delete: Annotated[bool, typer.Option("--delete", help="Delete them; else they are only named.")] = False,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Name, or delete, the artifacts that nothing newer needs, and abandoned drafts. Not while a flow is running."""
    opened = ArtifactStore(store)
    references = collect_garbage(opened, keep) if delete else unneeded(opened, keep)
    for reference in references:
        typer.echo(f"{'deleted' if delete else 'not needed:'} {reference}")


def _line(artifact: Artifact) -> str:
    manifest = artifact.manifest
    size = sum(file.size for file in manifest.files) / 1e6
    counts = ", ".join(f"{name.replace('_', ' ')} {number:,}" for name, number in manifest.counts.items() if number)
    return f"{artifact.reference}  {manifest.created:%Y-%m-%d %H:%M} UTC, {size:,.1f} MB, {counts}"
