import logging

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.progress import LoggedProgress, ProgressBar
from tests.flows.running import free_port


def test_the_first_and_the_last_line_come_whatever_the_interval_and_none_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    progress = LoggedProgress(logging.getLogger("stage"), "mentions", interval=3600)
    for done in (1, 2, 3, 3):
        progress(done, 3, mlm_loss=0.123456)
    assert caplog.messages == ["mentions: 1 of 3, mlm loss 0.1235", "mentions: 3 of 3, mlm loss 0.1235"]


def test_the_time_left_counts_from_what_was_done_at_first(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([100.0, 110.0, 120.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    caplog.set_level(logging.INFO)
    progress = LoggedProgress(logging.getLogger("stage"), "checkpoint")
    for done in (500, 510, 520):
        progress(done, 600)
    assert caplog.messages == [
        "checkpoint: 500 of 600",
        "checkpoint: 510 of 600, 1:30 left",
        "checkpoint: 520 of 600, 1:20 left",
    ]


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
