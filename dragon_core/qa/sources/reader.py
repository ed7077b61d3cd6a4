"""Makes questions of items; what cannot be one is a reject."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dragon_core.artifacts.draft import Tally, refuse_many
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.items import Item, MalformedItemError

QuestionOf = Callable[[Item], Question]


class QuestionReader:
    """Makes the questions of one set.

    Attributes:
        tally: Takes rejects and counts; `records` are the items that were read, good and bad.
        records: How many these are in each source.
    """

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.records: Counter[str] = Counter()
        self._places: dict[str, str] = {}

    def count(self, source: str, records: int = 1) -> None:
        """Count items of a source, good or bad."""
        self.records[source] += records
        self.tally.count(records=records)

    def check_rejects(self, share: float) -> None:
        """Refuse a source of whose items too many were rejected: a small test beside a large train, too.

        Args:
            share: Largest share of rejects that is acceptable, in [0, 1].

        Raises:
            TooManyRejectsError: The share of rejects of a source is larger.
        """
        for source, records in self.records.items():
            refuse_many([reject for reject in self.tally.rejects if reject[0] == source], records, share)

    def questions(self, items: Iterable[Item], question_of: QuestionOf, is_hidden: bool = False) -> list[Question]:
        """The questions that items are.

        Args:
            items: The items.
            question_of: Makes the question of an item, or raises `MalformedItemError`.
            is_hidden: Whether answers may be missing.
        """
        return list(self._questions(items, question_of, is_hidden))

    def hidden_test(self, items: Iterable[Item], question_of: QuestionOf) -> list[Question]:
        """The questions of a test without answers; of each its leaderboard takes one.

        Raises:
            QuestionError: An item is no question.
        """
        before = len(self.tally.rejects)
        questions = self.questions(items, question_of, is_hidden=True)
        for source, record, reason in self.tally.rejects[before:]:
            raise QuestionError(
                f"{source} has an item that is no question, {record}: {reason}. Mend it: the leaderboard takes an"
                " answer to each."
            )
        return questions

    def items(self, source: str, entries: Iterable[tuple[int | str, Any]]) -> Iterator[Item]:
        """The items of something that is not read by line, given with their keys or numbers."""
        for record, fields in entries:
            self.count(source)
            if isinstance(fields, dict):
                yield Item(source, record, fields)
            else:
                self.tally.reject(source, record, "it is no JSON object")

    def _questions(self, items: Iterable[Item], question_of: QuestionOf, is_hidden: bool) -> Iterator[Question]:
        for item in items:
            try:
                question = question_of(item)
                if question.answer is None and not is_hidden:
                    raise MalformedItemError("its answer is not given")
                if question.question_id in self._places:
                    place = self._places[question.question_id]
                    raise MalformedItemError(f"its id {question.question_id} is that of another item, {place}")
            except MalformedItemError as error:
                self.tally.reject(item.source, item.record, str(error))
            else:
                self._places[question.question_id] = f"{item.record} of {item.source}"
                yield question
