"""DRAGON: joint pretraining of a language model and a knowledge graph. One folder a stage, in the order data flows."""
