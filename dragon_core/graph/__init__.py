"""The knowledge graph, and one reader per source."""

from dragon_core.graph.build import GraphTables, write_graph
from dragon_core.graph.errors import GraphError, WordNetError
from dragon_core.graph.knowledge_graph import Adjacency, KnowledgeGraph
from dragon_core.graph.relations import Relation

__all__ = ["Adjacency", "GraphError", "GraphTables", "KnowledgeGraph", "Relation", "WordNetError", "write_graph"]
