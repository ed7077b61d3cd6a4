import logging

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.progress import ProgressBar
from tests.flows.running import free_port


# Nor is there a run that the bar belongs to.
@pytest.mark.filterwarnings("ignore:Artifact creation outside")
def test_a_server_that_does_not_answer_stops_no_progress(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    bar = ProgressBar(logging.getLogger("stage"), "checkpoint", interval=0, key="pretraining")
    with temporary_settings({PREFECT_API_URL: f"http://127.0.0.1:{free_port()}/api"}):
        bar(1, 2)
        bar(2, 2)
    told = [record.message for record in caplog.records if record.name == "stage"]
    assert [line.split(":")[0] for line in told] == ["checkpoint", "The bar of checkpoint is not up to date"] * 2
