"""Ontologies in the OBO format, and the annotation tables of the Human Phenotype Ontology.

What the usual relations of ontologies and the rows of the annotation tables mean stands in `labels.csv`, and how these
relations are worded in `relations.csv`. Other relations have the names that the ontology gives them.
"""
