"""The entity-linking recipe published with QA-GNN and DRAGON in its published shape: a spaCy `Matcher`.

One pattern of lemmas a concept, and every match's concepts lemmatised again by a call of the pipeline. Ties are broken
as in `dragon_core.linking.lemmas.recipe`, whose word lists are used too; nothing else is shared.
"""

from collections.abc import Sequence

from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc

from dragon_core.linking.words import PUBLISHED_WORDS

STOP, PRONOUNS, BLACK = (PUBLISHED_WORDS[name] for name in ("stop_words", "pronouns", "black_list"))


class MatcherLinker:
    """Concepts of (statement, answer) pairs.

    Args:
        names: Names of the concepts.
        pipeline: spaCy pipeline with a lemmatizer.
    """

    def __init__(self, names: Sequence[str], pipeline: Language) -> None:
        self._pipeline = pipeline
        self._vocabulary = set(names)
        self._matcher = Matcher(pipeline.vocab)
        for doc in pipeline.pipe(self._vocabulary):
            if self._is_searched(doc):
                self._matcher.add(doc.text, [[{"LEMMA": token.lemma_} for token in doc]])

    def __len__(self) -> int:
        return len(self._matcher)

    def ground(self, statement: str, answer: str) -> tuple[set[str], set[str]]:
        """Concepts of the question and of the answer."""
        in_answer = self._mentioned(answer, None)
        in_question = self._mentioned(statement, answer) - in_answer
        in_question = in_question or self._fallback(statement)
        in_answer = in_answer or self._fallback(answer)
        question = {
            concept
            for concept in self._without_longer(in_question)
            if concept in self._vocabulary and not any(word in STOP for word in concept.split(" "))
        }
        answers = {
            concept
            for concept in self._without_longer(in_answer)
            if concept in self._vocabulary and not all(word in STOP for word in concept.split(" "))
        }
        return question, answers

    def concepts(self, text: str) -> set[str]:
        """Concepts of a plain text, dropped as those of a question are."""
        found = self._without_longer(self._mentioned(text, None) or self._fallback(text))
        return {c for c in found if c in self._vocabulary and not any(word in STOP for word in c.split(" "))}

    def _is_searched(self, doc: Doc) -> bool:
        if len(doc) == 0 or len(doc) >= 5 or doc[0].text in PRONOUNS or doc[-1].text in PRONOUNS:
            return False
        return not all(token.text in STOP or token.lemma_ in STOP or token.lemma_ in BLACK for token in doc)

    def _lemmatize(self, concept: str) -> str:
        return " ".join(token.lemma_ for token in self._pipeline(concept))

    def _mentioned(self, text: str, answer: str | None) -> set[str]:
        doc = self._pipeline(text.lower())
        answer_spans = set()
        if answer is not None and answer.strip():
            of_answer = Matcher(self._pipeline.vocab)
            of_answer.add("answer", [[{"TEXT": token.text.lower()} for token in self._pipeline(answer)]])
            answer_spans = {(start, end) for _, start, end in of_answer(doc)}
        concepts_of_span: dict[str, set[str]] = {}
        for concept_id, start, end in self._matcher(doc):
            if (start, end) in answer_spans:
                continue
            concept = self._pipeline.vocab.strings[concept_id]
            concepts = concepts_of_span.setdefault(doc[start:end].text, set())
            concepts.add(concept)
            if " " not in concept:
                concepts.add(self._lemmatize(concept))
        mentioned = set()
        for span, concepts in concepts_of_span.items():
            shortest = sorted(concepts, key=lambda concept: (len(concept), concept))[:3]
            for concept in shortest:
                if concept not in BLACK:
                    lemma = self._lemmatize(concept)
                    mentioned.add(lemma if lemma in shortest else concept)
            mentioned |= {concept for concept in concepts if concept.lower() == span}
        return mentioned

    def _fallback(self, text: str) -> set[str]:
        doc = self._pipeline(text.lower())
        found = {token.lemma_ for token in doc if token.lemma_ in self._vocabulary}
        whole = " ".join(token.text for token in doc)
        return found | ({whole} if whole in self._vocabulary else set())

    def _without_longer(self, concepts: set[str]) -> set[str]:
        return {
            concept
            for concept in concepts
            if not (concept[-2:] == "er" and concept[:-2] in concepts)
            and not (concept[-1:] == "e" and concept[:-1] in concepts)
        }
