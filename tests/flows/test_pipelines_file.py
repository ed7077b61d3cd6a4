from pathlib import Path

import pytest

from dragon_core.errors import DragonError
from flows.pipelines_file import check_pipelines
from tests.flows.projects import PIPELINES, REPOSITORY, write_project

SCHEDULED = """\
deployments:
  - name: nightly
    entrypoint: steps/stages.py:evaluate
    parameters: {PARAMETERS}
    schedules:
      - SCHEDULE
    work_pool: {name: dragon}
"""


def problems(folder: Path, pipelines: str) -> list[str]:
    return [str(problem) for problem in check_pipelines(write_project(folder, pipelines) / "pipelines.yaml")]


def scheduled(schedule: str, parameters: str = "checkpoint: x") -> str:
    return SCHEDULED.replace("SCHEDULE", schedule).replace("PARAMETERS", parameters)


def test_the_projects_own_file_is_sound() -> None:
    assert check_pipelines(REPOSITORY / "pipelines.yaml") == []


def test_a_sound_file_has_no_problems(tmp_path: Path) -> None:
    assert problems(tmp_path, PIPELINES) == []


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        (
            "deployments:",
            "deployment:",
            "line 1, deployment: there is no `deployment` here; did you mean `deployments`?",
        ),
        (
            "    parameters:",
            "    paramaters:",
            "line 4, deployments[0].paramaters: there is no `paramaters` here; did you mean `parameters`?",
        ),
        (
            "    parameters:",
            "    pull: []\n    parameters:",
            "line 4, deployments[0].pull: there is no `pull` here; there are `concurrency_limit`, ",
        ),
        (
            "      name: dragon",
            "      nam: dragon",
            "line 8, deployments[0].work_pool.nam: there is no `nam` here; did you mean `name`?",
        ),
        (
            "      name: dragon",
            "      name: ''",
            "line 8, deployments[0].work_pool.name: String should have at least 1",
        ),
        ("    work_pool:\n      name: dragon\n", "", "line 2, deployments[0]: `work_pool` is missing"),
        ("  - name: rehearse-general\n    entry", "  - entry", "line 2, deployments[0]: `name` is missing"),
        (
            "      training:",
            "      trainnig:",
            "line 5, deployments[0].parameters.trainnig: there is no `trainnig` here; did you mean `training`?",
        ),
        (
            "        steps: 3",
            "        stepz: 3",
            "line 6, deployments[0].parameters.training.stepz: there is no `stepz` here; did you mean `steps`?",
        ),
        (
            "        steps: 3",
            "        steps: 101",
            "line 6, deployments[0].parameters.training.steps: Input should be less than or equal to 100",
        ),
        (
            "        steps: 3",
            "        steps: many",
            "line 6, deployments[0].parameters.training.steps: Input should be a valid integer",
        ),
        (
            "        steps: 3",
            "        steps: 3\n        warmup: 4",
            "line 5, deployments[0].parameters.training: warmup is longer than the training",
        ),
        ("stages.py:rehearse", "stagez.py:rehearse", "line 3, deployments[0].entrypoint: there is no file "),
        (
            "stages.py:rehearse",
            "stages.py:pretain",
            "line 3, deployments[0].entrypoint: it cannot be imported: ",
        ),
        ("stages.py:rehearse", "stages.py:no_flow", "line 3, deployments[0].entrypoint: it cannot be imported: "),
        ("steps/stages.py:rehearse", "steps.stages", "line 3, deployments[0].entrypoint: String should match pattern"),
        (
            "        steps: 3",
            "        steps: 3\n        steps: 4",
            "line 7, deployments[0].parameters.training.steps: the key stands here more than once",
        ),
        ("      training:\n        steps: 3", "      training: [", "line 7, the file: this is no YAML: "),
        (
            "    work_pool:",
            "    tags: general\n    work_pool:",
            "line 7, deployments[0].tags: Input should be a valid list",
        ),
        (
            "    work_pool:",
            "    concurrency_limit: {limit: 1, colision_strategy: ENQUEUE}\n    work_pool:",
            "line 7, deployments[0].concurrency_limit.colision_strategy: there is no `colision_strategy` here; did you",
        ),
    ],
)
def test_each_kind_of_problem_is_named_with_its_place(tmp_path: Path, right: str, wrong: str, problem: str) -> None:
    assert right in PIPELINES
    found = problems(tmp_path, PIPELINES.replace(right, wrong))
    assert [text for text in found if text.startswith(problem)], found


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ('cron: "0 3 * * *"', None),
        ("interval: 3600", None),
        ("rrule: FREQ=DAILY", None),
        ('cron: "0 25 * * *"', "line 6, deployments[0].schedules[0].cron: "),
        ('cron: "0 3 * * *"\n        timezone: Europe/Atlantis', "line 7, deployments[0].schedules[0].timezone: "),
        ("interval: -1", "line 6, deployments[0].schedules[0].interval: "),
        ("rrule: SOMETIMES", "line 6, deployments[0].schedules[0].rrule: "),
        ("timezone: UTC", "line 6, deployments[0].schedules[0]: give exactly one of"),
        (
            'corn: "0 3 * * *"',
            "line 6, deployments[0].schedules[0].corn: there is no `corn` here; did you mean `cron`?",
        ),
        ('cron: "0 3 * * *"\n        parameters: {questions: none}', "line 7, deployments[0].schedules[0].parameters"),
    ],
)
def test_schedules_must_be_such_that_they_can_be_followed(tmp_path: Path, schedule: str, expected: str | None) -> None:
    found = problems(tmp_path, scheduled(schedule))
    assert (found == []) if expected is None else [text for text in found if text.startswith(expected)], found


def test_a_parameter_may_be_left_to_the_user_but_not_to_a_schedule(tmp_path: Path) -> None:
    file = scheduled('cron: "0 3 * * *"', parameters="questions: 5")
    assert problems(tmp_path, file) == [
        "line 4, deployments[0].parameters: `checkpoint` is missing, and scheduled runs have nobody to give it"
    ]
    assert problems(tmp_path, file.replace('    schedules:\n      - cron: "0 3 * * *"\n', "")) == []
    unscheduled = file.replace('    schedules:\n      - cron: "0 3 * * *"\n', "").replace(
        "questions: 5", "questions: few"
    )
    assert problems(tmp_path, unscheduled) == [
        "line 4, deployments[0].parameters.questions: 'few' is not of type 'integer'"
    ]


def test_a_name_used_twice_for_one_flow_is_refused(tmp_path: Path) -> None:
    second = PIPELINES.split("\n", 1)[1]
    assert problems(tmp_path, PIPELINES + second) == [
        "line 9, deployments[1].name: `deployments[0]` is rehearse/rehearse-general already; the later one would"
        " replace it"
    ]
    assert problems(tmp_path, PIPELINES + second.replace("- name: rehearse-general", "- name: rehearse-small")) == []


@pytest.mark.parametrize("empty", ["", "deployments: []\n", "just words\n"])
def test_a_file_without_deployments_is_refused(tmp_path: Path, empty: str) -> None:
    assert len(problems(tmp_path, empty)) == 1


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DragonError, match=r"There is no .*pipelines\.yaml"):
        check_pipelines(tmp_path / "pipelines.yaml")
