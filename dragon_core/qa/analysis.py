"""Groups of questions that ask for reasoning of different kinds.

Like the paper's analysis of complex reasoning (Yasunaga et al., NeurIPS 2022) they go by negations, conjunctions,
hedges and prepositions in the question, and by how many entities are linked; further by the question's length, and by
how far the answer is from it in the graph. The lists of words are ours.
"""

import re
from collections.abc import Iterable

import numpy as np

from dragon_core.qa.dataset import Bools, Int64s, PreparedQuestions
from dragon_core.qa.hops import NO_PATH, Ends

NEGATIONS = (
    "no",
    "not",
    "never",
    "none",
    "nobody",
    "nothing",
    "nowhere",
    "neither",
    "nor",
    "cannot",
    "without",
    "except",
    "unlikely",
    "least likely",
)
CONJUNCTIONS = ("and", "or", "but", "nor", "yet", "although", "though", "because", "unless", "whereas", "while")
HEDGES = (
    "can be",
    "could",
    "may",
    "maybe",
    "might",
    "often",
    "perhaps",
    "possible",
    "possibly",
    "probable",
    "probably",
    "seem",
    "seems",
    "sometimes",
    "suggest",
    "suggests",
    "tend",
    "tends",
    "usually",
)
# A phrase with one of them states, mostly, one more condition. "To" is left out: it mostly begins an infinitive.
PREPOSITIONS = (
    "about",
    "above",
    "across",
    "after",
    "against",
    "along",
    "among",
    "around",
    "at",
    "before",
    "behind",
    "below",
    "beneath",
    "beside",
    "between",
    "beyond",
    "by",
    "during",
    "for",
    "from",
    "in",
    "inside",
    "into",
    "near",
    "of",
    "on",
    "onto",
    "over",
    "through",
    "toward",
    "towards",
    "under",
    "until",
    "upon",
    "with",
    "within",
    "without",
)

# By grouping and group: [questions with a known answer] who belongs to it.
Groups = dict[str, dict[str, Bools]]


def group_questions(questions: PreparedQuestions) -> Groups:
    """Group the questions with a known answer in several ways; a way that has only one group is left out.

    Returns:
        By title of the way and of the group, which questions are in it; every question is in one group of each way.
    """
    rows = questions.offsets[:-1][questions.known]
    texts = [text.lower().replace("\u2019", "'") for text in questions.rows["question"].take(rows).to_pylist()]
    ends = Ends(questions)
    groups = {
        "words of the question": _thirds(np.array([len(text.split()) for text in texts], dtype=np.int64)),
        "entities of question and answer": _bins(ends.entities, (5, 10)),
        "negation": _with_and_without(negates(texts)),
        "conjunction": _with_and_without(_counts(texts, CONJUNCTIONS) > 0),
        "hedge": _with_and_without(_counts(texts, HEDGES) > 0),
        "prepositions": _bins(_counts(texts, PREPOSITIONS), (0, 1, 2)),
        "hops from question to answer": _hops(ends.hops),
        "edge between question and answer": {"yes": ends.are_neighbours, "no": ~ends.are_neighbours},
    }
    filled = {way: {title: who for title, who in of_way.items() if who.any()} for way, of_way in groups.items()}
    return {way: of_way for way, of_way in filled.items() if len(of_way) > 1}


def negates(texts: Iterable[str]) -> Bools:
    """Whether lower-case texts hold one of `NEGATIONS` or a word that ends in n't."""
    texts = list(texts)
    return (_counts(texts, NEGATIONS) > 0) | np.array(["n't" in text for text in texts], dtype=bool)


def _counts(texts: list[str], terms: tuple[str, ...]) -> Int64s:
    pattern = re.compile(rf"\b(?:{'|'.join(terms)})\b")
    return np.array([len(pattern.findall(text)) for text in texts], dtype=np.int64)


def _with_and_without(members: Bools) -> dict[str, Bools]:
    return {"with": members, "without": ~members}


def _thirds(values: Int64s) -> dict[str, Bools]:
    bounds = np.unique(np.quantile(values, [1 / 3, 2 / 3], method="lower")) if len(values) else ()
    return _bins(values, tuple(int(bound) for bound in bounds))


def _bins(values: Int64s, bounds: tuple[int, ...]) -> dict[str, Bools]:
    """Groups of the values up to each bound, and of those past the last."""
    groups, low = {}, 0
    for bound in bounds:
        title = f"{low}" if low == bound else f"{low} to {bound}" if low else f"up to {bound}"
        groups[title] = (values >= low) & (values <= bound)
        low = bound + 1
    groups[f"{low} or more"] = values >= low
    return groups


def _hops(hops: Int64s) -> dict[str, Bools]:
    return {
        "0, the same node": hops == 0,
        "1": hops == 1,
        "2": hops == 2,
        "3 or more": hops >= 3,
        "no path": hops == NO_PATH,
    }
