"""When a line of progress is logged, and what it says."""

import logging

import pytest

from dragon_core.artifacts import LoggedProgress


def test_the_first_and_the_last_line_come_whatever_the_interval_and_none_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    progress = LoggedProgress(logging.getLogger("stage"), "mentions", interval=3600)
    for done in (1, 2, 3, 3):
        progress(done, 3, mlm_loss=0.123456)
    assert caplog.messages == ["mentions: 1 of 3, mlm loss 0.1235", "mentions: 3 of 3, mlm loss 0.1235"]


def test_nothing_to_do_is_done(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    LoggedProgress(logging.getLogger("stage"), "corpus")(0, 0)
    assert caplog.messages == ["corpus: 0 of 0"]


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
