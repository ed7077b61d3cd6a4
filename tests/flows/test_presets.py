"""The deployments of `pipelines.yaml`, run as they stand there on small files in the real formats."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from dragon_core.artifacts import ArtifactStore
from dragon_core.artifacts.lineage import lineage
from dragon_core.corpus import CorpusParams
from dragon_core.errors import DragonError
from dragon_core.training import TrainingParams
from flows.pretrain import pretrain
from flows.refresh_corpus import refresh_corpus
from tests.flows.projects import REPOSITORY
from tests.flows.small_files import write_conceptnet, write_hpo_package, write_text

TINY = {"steps": 2, "warmup_steps": 1, "batch_size": 4, "node_size": 16, "interaction_size": 16}


def deployments() -> dict[str, dict[str, Any]]:
    """Parameters of each deployment, by its name."""
    file = yaml.safe_load((REPOSITORY / "pipelines.yaml").read_text(encoding="utf-8"))
    return {deployment["name"]: deployment.get("parameters", {}) for deployment in file["deployments"]}


def tiny(name: str) -> dict[str, Any]:
    """Parameters of a deployment, with a small model trained for two steps."""
    parameters = deployments()[name]
    return parameters | {"training": parameters.get("training", {}) | TINY, "task_runner": {"name": "threads"}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that runs have their files in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("prefect_server")
class TestRuns:
    def test_biomed_reads_the_ontology_of_the_package(self, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        folder = write_hpo_package(project / "packages")
        monkeypatch.syspath_prepend(project / "packages")
        made = pretrain(**tiny("pretrain-biomed"))
        store = ArtifactStore(".dragon/store")
        sources = {
            ancestor.name.split(" (")[0]
            for ancestor in lineage(store, store.resolve(made))
            if ancestor.role == "source"
        }
        assert sources == {str(folder)}
        counts = {stage: store.resolve(f"{stage}/latest").manifest.counts for stage in ("graph", "corpus", "subgraphs")}
        assert counts["corpus"]["documents"] == 54
        assert counts["corpus"]["held_out"] > 0
        assert counts["graph"]["relations"] == 4
        assert counts["subgraphs"]["segments_without_nodes"] == 0
        assert counts["subgraphs"]["edges"] > counts["subgraphs"]["segments"]

    def test_conceptnet_reads_the_files_of_the_project(self, project: Path) -> None:
        parameters = tiny("pretrain-general-conceptnet")
        write_conceptnet(project / parameters["graph"][0]["files"])
        write_text(project / parameters["text_folder"])
        made = ArtifactStore(".dragon/store").resolve(pretrain(**parameters))
        metrics = json.loads(made.path("metrics.json").read_text())
        assert metrics["after"]["mlm_loss"] > 0

    @pytest.mark.parametrize("name", ["pretrain-general-conceptnet", "pretrain-general-paper", "pretrain-biomed-paper"])
    def test_missing_files_are_told_before_anything_is_made(self, project: Path, name: str) -> None:
        parameters = deployments()[name]
        graph = parameters["graph"][0]["files"]
        with pytest.raises(DragonError, match=f"there is no file or folder {graph}; give a path that exists"):
            pretrain(**parameters)
        write_conceptnet(project / graph)
        with pytest.raises(DragonError, match=f"text: there is no file or folder {parameters['text_folder']}; give"):
            pretrain(**parameters)
        assert not (project / ".dragon" / "store").exists()

    def test_a_text_folder_that_nothing_reads_is_refused(self, project: Path) -> None:
        for flow in (pretrain, refresh_corpus):
            with pytest.raises(DragonError, match="The corpus is WordNet, which reads nothing in data/books"):
                flow(text_folder="data/books")
        with pytest.raises(DragonError, match="give its folder as text_folder"):
            refresh_corpus(corpus=CorpusParams(source="text"))
        assert not (project / ".dragon" / "store").exists()


@pytest.mark.parametrize("name", ["pretrain-general-paper", "pretrain-biomed-paper"])
def test_the_papers_settings(name: str) -> None:
    parameters = deployments()[name]
    training = TrainingParams(**parameters["training"])
    assert training.batch_size * training.gradient_accumulation == 8192
    assert (training.steps, training.num_fusion_layers, training.max_length) == (20_000, 5, 512)
    assert parameters["subgraphs"]["max_nodes"] == 200
