"""How far apart question and answer are in their subgraph."""

from itertools import count

import numpy as np

from dragon_core.qa.dataset import Bools, Int64s, PreparedQuestions
from dragon_core.subgraph import NodeType
from dragon_core.training.subgraphs import Subgraphs

NO_PATH = -1


class Ends:
    """What question and right choice name, in the right choice's subgraph; for the Q questions with a known answer.

    A node that both name has the type of an answer's; that the question names it, too, tells the subgraph of another
    choice, which does not.

    Attributes:
        in_question: [n] whether the question names a node.
        in_answer: [n] whether the right choice names it.
    """

    def __init__(self, questions: PreparedQuestions) -> None:
        self._graphs = Subgraphs.of_table(questions.rows.take(questions.right_rows))
        self._head, self._tail = self._graphs.head_node, self._graphs.tail_node
        self.in_question = self._named(questions)
        self.in_answer = self._graphs.node_type == NodeType.ANSWER

    def _named(self, questions: PreparedQuestions) -> Bools:
        choices = Subgraphs.of_table(questions.rows)
        question = np.repeat(questions.question_of_row, choices.node_counts)
        width = max(choices.node_id.max(initial=0), self._graphs.node_id.max(initial=0)) + 1
        linked = (question * width + choices.node_id)[choices.node_type == NodeType.LINKED]
        return np.isin(np.flatnonzero(questions.known)[self._graphs.node_graph] * width + self._graphs.node_id, linked)

    @property
    def entities(self) -> Int64s:
        """[Q] nodes that question or right choice names."""
        named = self.in_question | self.in_answer
        return np.bincount(self._graphs.node_graph[named], minlength=len(self._graphs))

    @property
    def are_neighbours(self) -> Bools:
        """[Q] whether an edge has one end in the question and the other in the right choice."""
        crosses = (self.in_question[self._head] & self.in_answer[self._tail]) | (
            self.in_answer[self._head] & self.in_question[self._tail]
        )
        return np.bincount(self._graphs.node_graph[self._head[crosses]], minlength=len(self._graphs)) > 0

    @property
    def hops(self) -> Int64s:
        """[Q] edges, in any direction, of the shortest path between the two; 0 if they share a node; or `NO_PATH`."""
        distances = np.full(len(self._graphs), NO_PATH)
        reached = self.in_question.copy()
        for distance in count():
            met = np.unique(self._graphs.node_graph[reached & self.in_answer])
            distances[met[distances[met] == NO_PATH]] = distance
            wider = reached.copy()
            wider[self._tail[reached[self._head]]] = True
            wider[self._head[reached[self._tail]]] = True
            if np.array_equal(wider, reached):
                break
            reached = wider
        return distances
