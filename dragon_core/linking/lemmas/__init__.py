"""The method `spacy`: the published recipe on the lemmas of a tagger."""
