"""What linking costs and finds: `python -m benchmarks.linking [--quick]`.

Sentences are CommonsenseQA's stems, concepts the names of conceptnet-82k (and of ConceptNet 4 where it says so). The
published recipe (`baselines/matcher_linking.py`) runs beside in the same process, one core, interleaved; rates are
medians. Names beyond those of ConceptNet are made of its words. `--quick` measures the same on less.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pyarrow as pa

from benchmarks import concept_gold
from benchmarks.baselines.matcher_linking import MatcherLinker
from benchmarks.conceptnet import names_of, questions, triples_of_82k, triples_of_conceptnet4
from benchmarks.reporting import report, report_machine, seconds_of, writer_of
from dragon_core.artifacts import silent
from dragon_core.graph.schema import NODES
from dragon_core.linking import DictionaryParams, Mentions, SpacyParams
from dragon_core.linking.dictionary.inflection import forms_of_name
from dragon_core.linking.dictionary.linker import DictionaryLinker, build_dictionary
from dragon_core.linking.dictionary.normalization import normalize_names
from dragon_core.linking.dictionary.patterns import says_little
from dragon_core.linking.lemmas.linker import LemmaLinker, build_spacy
from dragon_core.linking.lemmas.recipe import STOP_WORDS
from dragon_core.linking.lemmas.tagging import load_pipeline

FEW_CONCEPTS, MANY_CONCEPTS = 8_776, 800_000
# The recipe does not reach over determiners.
AS_THE_RECIPE = DictionaryParams(determiners=False)


def node_table(names: Sequence[str], aliases: Sequence[Sequence[str]] | None = None) -> pa.Table:
    """A node table of names."""
    columns = {"key": names, "name": names, "aliases": aliases or [[]] * len(names), "description": [""] * len(names)}
    columns["types"] = [[]] * len(names)
    return pa.Table.from_pydict(columns, schema=NODES)


def made_up_names(names: Iterable[str], number: int) -> list[str]:
    """Names of two or three words of the given names, all different and new."""
    random, known = Random(0), {*names}
    words = sorted({word for name in known for word in name.split()})
    made: dict[str, None] = {}
    while len(made) < number:
        name = " ".join(random.choices(words, k=random.choice((2, 2, 3))))
        if name not in known:
            made[name] = None
    return list(made)


def measure_rates(names: list[str], stems: list[str], of_recipe: int, of_spacy: int) -> None:
    """Dictionary and lemma linkers beside the recipe, and whether they find the same."""
    pipeline = load_pipeline("en_core_web_sm")
    recipe = MatcherLinker(names, pipeline)
    dictionary = DictionaryLinker.of(node_table(names), AS_THE_RECIPE)
    with tempfile.TemporaryDirectory() as folder:
        build_spacy(names, SpacyParams(), writer_of(Path(folder)), silent)
        lemmas = LemmaLinker.open(Path(folder), SpacyParams())
    by_recipe: list[set[str]] = []
    stems_of = {"recipe": stems[:of_recipe], "spacy": stems[:of_spacy], "dictionary": stems}
    calls: dict[str, Callable[[], object]] = {
        "recipe": lambda: by_recipe.__setitem__(slice(None), map(recipe.concepts, stems_of["recipe"])),
        "spacy": lambda: lemmas.link(stems_of["spacy"]),
        "dictionary": lambda: dictionary.link(stems),
    }
    seconds = seconds_of(calls, repeats=3)
    rates = {name: len(stems_of[name]) / seconds[name] for name in calls}
    details = {"concepts": len(recipe), "sentences_per_second": {name: round(rate, 1) for name, rate in rates.items()}}
    ratio = rates["dictionary"] / rates["recipe"]
    report("dictionary, sentences/s over the recipe's", ratio, "x", len(stems), 1000, 3000, **details)
    by_lemmas = concepts_of(lemmas.link(stems_of["spacy"]), names)
    equal = sum(a == b for a, b in zip(by_recipe, by_lemmas, strict=False)) / min(of_recipe, of_spacy)
    report("spacy, sentences/s over the recipe's", rates["spacy"] / rates["recipe"], "x", of_spacy, 50, equal=equal)
    measure_agreement(stems_of["spacy"], by_lemmas, concepts_of(dictionary.link(stems_of["spacy"]), names))


def concepts_of(mentions: Mentions, names: Sequence[str]) -> list[set[str]]:
    """Names of the nodes that each text is linked to."""
    return [{names[mention.node] for mention in found} for found in mentions]


def measure_agreement(stems: list[str], recipe: list[set[str]], dictionary: list[set[str]]) -> None:
    """F1 of the dictionary's concepts against the recipe's, and what kinds of differences there are."""
    both = sum(len(a & b) for a, b in zip(recipe, dictionary, strict=True))
    missed: Counter[str] = Counter()
    added: Counter[str] = Counter()
    for stem, a, b in zip(stems, recipe, dictionary, strict=True):
        missed.update(why_missed(name, stem) for name in a - b)
        added.update(why_added(name, stem, b) for name in b - a)
    f1 = 2 * both / (2 * both + missed.total() + added.total())
    classes = {"both": both, "recipe only": dict(missed.most_common()), "dictionary only": dict(added.most_common())}
    report("dictionary, agreement with the recipe", f1, "F1", len(stems), 0.90, concepts=classes)


def why_missed(name: str, stem: str) -> str:
    """Why the dictionary does not link what the recipe links."""
    if says_little(normalized(name)):
        return "a function word, a number or one character"
    return "as written, under another name of the same form" if is_said(name, stem) else "a lemma by the tagger only"


def why_added(name: str, stem: str, found: set[str]) -> str:
    """Why the recipe does not link what the dictionary links."""
    if any(word in STOP_WORDS for word in name.split(" ")):
        return "a stop word in the name: the recipe drops these"
    if any(name == f"{other}{end}" for other in found for end in ("e", "er")):
        return "x is linked: the recipe then drops xe and xer"
    return "as written, tagged as another lemma" if is_said(name, stem) else "an inflection, tagged as another lemma"


@cache
def normalized(name: str) -> str:
    """A name's normalised form."""
    return normalize_names([name])[0]


def is_said(name: str, stem: str) -> bool:
    """Whether a text has a name as it is."""
    return f" {normalized(name)} " in f" {normalized(stem)} "


def measure_coverage(names: list[str], items: list[dict[str, Any]]) -> None:
    """How many question concepts and choices of CommonsenseQA are linked.

    A question's concept is linked if its stem has a mention of a node whose name is the concept up to inflection.
    """
    linker = DictionaryLinker.of(node_table(names), DictionaryParams())
    forms = cache(lambda name: frozenset(forms_of_name(normalized(name))))
    same = cache(lambda a, b: normalized(a) in forms(b) or normalized(b) in forms(a))
    stems = concepts_of(linker.link([item["stem"] for item in items]), names)
    linked = [
        any(same(item["question_concept"], name) for name in found) for item, found in zip(items, stems, strict=True)
    ]
    known = frozenset(map(normalized, names))
    in_graph = [bool(known & forms(item["question_concept"])) for item in items]
    of_those = sum(a for a, b in zip(linked, in_graph, strict=True) if b) / max(sum(in_graph), 1)
    report(
        "CommonsenseQA, question_concept linked in the stem",
        sum(linked) / len(items),
        "share",
        len(items),
        0.95,
        0.98,
        nodes=len(names),
        concept_in_graph=round(sum(in_graph) / len(items), 4),
        linked_of_those_in_graph=round(of_those, 4),
    )
    choices = [choice["text"] for item in items for choice in item["choices"]]
    share = sum(map(bool, linker.link(choices))) / len(choices)
    report("CommonsenseQA, choices with a link", share, "share", len(choices), 0.96, 0.99)


def measure_slowdown(names: list[str], stems: list[str], many: int) -> None:
    """The dictionary of the concepts that are said most, against one of very many; both link about the same."""
    whole = DictionaryLinker.of(node_table(names), DictionaryParams())
    said = Counter(whole.link(stems).nodes.tolist())
    few = DictionaryLinker.of(node_table([names[node] for node, _ in said.most_common(FEW_CONCEPTS)]), whole.params)
    more = made_up_names(names, many - len(names))
    large = DictionaryLinker.of(node_table([*names, *more]), whole.params)
    seconds = seconds_of({"few": lambda: few.link(stems), "large": lambda: large.link(stems)}, repeats=7)
    report(
        "dictionary, slowdown from few to many concepts",
        seconds["large"] / seconds["few"],
        "x",
        len(stems),
        1.5,
        1.0,
        "lower",
        concepts=[min(len(said), FEW_CONCEPTS), len(names) + len(more)],
        sentences_per_second={name: round(len(stems) / value) for name, value in seconds.items()},
        mentions_per_sentence=[round(len(linker.link(stems).starts) / len(stems), 2) for linker in (few, large)],
    )


def measure_worker(names: list[str], concepts: int) -> None:
    """Time to open, and memory of, a process that links with many concepts of three names each."""
    own = [*names, *made_up_names(names, max(concepts - len(names), 0))][:concepts]
    others = iter(made_up_names(names, 2 * concepts))
    aliases = [[next(others), next(others)] for _ in own]
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        build_dictionary(node_table(own, aliases), DictionaryParams(), writer_of(Path(folder)), silent)
        building = {"building_seconds": round(time.perf_counter() - started)}
        command = [sys.executable, "-m", "benchmarks.linking", "--worker", folder]
        found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    report("dictionary, opening", found["seconds"], "s", concepts, 3, better="lower", **building)
    report("dictionary, memory of a worker", found["gigabytes"], "GB", concepts, 1.5, better="lower")


def print_worker(folder: Path) -> None:
    """Open a linker, link, and print the seconds and the memory that it took."""
    started = time.perf_counter()
    linker = DictionaryLinker.open(folder, DictionaryParams())
    seconds = time.perf_counter() - started
    linker.link(["The quick brown fox jumps over the lazy dog."] * 10_000)
    print(json.dumps({"seconds": seconds, "gigabytes": psutil.Process().memory_info().rss / 1e9}))


def main() -> None:
    """Measure, and print a JSON line a result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="less work: within a minute")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print_worker(options.worker)
        return
    items, small = questions("train", "dev"), names_of(triples_of_82k())
    if not (items and small):
        raise SystemExit("CommonsenseQA or conceptnet-82k is not there: set DRAGON_SHARED_DATA.")
    stems = [item["stem"] for item in items]
    report_machine()
    if options.quick:
        few = small[::8]
        measure_rates(few[::2], stems[:2000], of_recipe=10, of_spacy=500)
        measure_coverage(few, items[:1000])
        measure_slowdown(few, stems[:2000], 2 * len(few))
        measure_worker(few, 2 * len(few))
        return
    large = sorted({*small, *names_of(triples_of_conceptnet4())})
    measure_rates(small, stems, of_recipe=40, of_spacy=2000)
    measure_coverage(large, items)
    measure_slowdown(large, stems, MANY_CONCEPTS)
    measure_worker(large, MANY_CONCEPTS)
    concept_gold.measure("test")


if __name__ == "__main__":
    main()
