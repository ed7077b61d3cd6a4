"""Checks `pipelines.yaml`, since deploying it drops misspelt keys silently and looks at no parameter.

The file is what `prefect --no-prompt deploy --prefect-file pipelines.yaml --all` reads; the schema here admits the part
of that format which local deployments need, and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dragon_core.errors import DragonError
from flows.deployed_flow import check_flow
from flows.misspelling import explain

Location = tuple[str | int, ...]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Schedule(_Strict):
    """When a deployment runs by itself: exactly one of cron, interval (seconds) and rrule."""

    cron: str | None = None
    interval: float | None = Field(None, gt=0)
    rrule: str | None = None
    timezone: str | None = None
    anchor_date: str | None = None
    day_or: bool = True
    active: bool = True
    slug: str | None = None
    parameters: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_one_that_can_be_followed(self) -> "Schedule":
        from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

        if sum(value is not None for value in (self.cron, self.interval, self.rrule)) != 1:
            raise ValueError("give exactly one of `cron`, `interval` and `rrule`")
        zone = {"timezone": self.timezone} if self.timezone else {}
        if self.cron is not None:
            CronSchedule.model_validate({"cron": self.cron, "day_or": self.day_or, **zone})
        elif self.interval is not None:
            IntervalSchedule.model_validate({"interval": self.interval, **zone})
        else:
            RRuleSchedule.model_validate({"rrule": self.rrule, **zone})
        return self


class WorkPool(_Strict):
    """Where a deployment's runs are carried out."""

    name: str = Field(min_length=1)
    work_queue_name: str | None = None
    job_variables: dict[str, Any] = Field(default_factory=dict)


class ConcurrencyLimit(_Strict):
    """How many runs of a deployment may run at once, and what happens to more."""

    limit: int = Field(ge=1)
    collision_strategy: Literal["ENQUEUE", "CANCEL_NEW"] = "ENQUEUE"
    grace_period_seconds: int | None = Field(None, ge=60)


class Deployment(_Strict):
    """One way to run a flow: parameters, schedules, place."""

    name: str = Field(min_length=1, pattern="^[^/%&<>]+$")
    entrypoint: str = Field(pattern=r"^[^:]+\.py:\w+$")
    work_pool: WorkPool
    description: str | None = None
    version: str | None = None
    tags: list[str] = Field(default_factory=list)
    parameters: dict[str, Any] = Field(default_factory=dict)
    schedules: list[Schedule] = Field(default_factory=list)
    concurrency_limit: ConcurrencyLimit | None = None
    paused: bool = False


class Pipelines(_Strict):
    """The whole file. `pull` has no place in it: without it Prefect records the folder it was deployed from.

    Attributes:
        definitions: Where YAML anchors may be defined.
        deployments: The deployments.
    """

    name: str | None = None
    prefect_version: str | None = Field(None, alias="prefect-version")
    definitions: Any = None
    deployments: list[Deployment] = Field(min_length=1)


@dataclass(frozen=True)
class Problem:
    """Something in the file that would fail, or be dropped silently.

    Attributes:
        line: Line of the file, counted from 1.
        where: Path to the value, such as `deployments[0].work_pool`.
        message: What is wrong.
    """

    line: int
    where: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.where or 'the file'}: {self.message}"


def check_pipelines(path: Path) -> list[Problem]:
    """All problems of the file, in the order of its lines; none if it can be deployed and its runs can start.

    Each deployment's flow is imported, and its parameters are validated by the flow.

    Raises:
        DragonError: The file is not there.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DragonError(f"There is no {path}; run this in the project's folder.") from None
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        message = getattr(error, "problem", None) or str(error)
        return [Problem(mark.line + 1 if mark else 1, "", f"this is no YAML: {message}")]
    lines = dict(_lines(root)) if root is not None else {}
    found = [*_duplicate_keys(root), *_problems(content, path.parent)]
    problems = [Problem(_line(lines, location), _path(location), message) for location, message in found]
    return sorted(problems, key=lambda problem: (problem.line, problem.where))


def _problems(content: Any, folder: Path) -> Iterator[tuple[Location, str]]:
    try:
        pipelines = Pipelines.model_validate(content)
    except ValidationError as error:
        yield from explain(error, Pipelines.model_json_schema())
        return
    seen: dict[str, int] = {}
    for index, deployment in enumerate(pipelines.deployments):
        parameter_sets: list[tuple[Location, Mapping[str, Any]]] = [(("parameters",), deployment.parameters)]
        for number, schedule in enumerate(deployment.schedules):
            where = ("schedules", number, "parameters") if schedule.parameters else ("parameters",)
            parameter_sets.append((where, deployment.parameters | schedule.parameters))
        flow_name, found = check_flow(folder, deployment.entrypoint, parameter_sets, bool(deployment.schedules))
        yield from ((("deployments", index, *location), message) for location, message in found)
        full_name = f"{flow_name}/{deployment.name}"
        if full_name in seen:
            message = f"`deployments[{seen[full_name]}]` is {full_name} already; the later one would replace it"
            yield ("deployments", index, "name"), message
        seen.setdefault(full_name, index)


def _lines(node: yaml.Node, location: Location = ()) -> Iterator[tuple[Location, int]]:
    yield location, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            # The line of the key, also where its value stands below it.
            inner = (*location, key.value)
            yield from ((place, line) for place, line in _lines(value, inner) if place != inner)
            yield inner, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _lines(value, (*location, index))


def _duplicate_keys(node: yaml.Node | None, location: Location = ()) -> Iterator[tuple[Location, str]]:
    if isinstance(node, yaml.MappingNode):
        keys = [key.value for key, _ in node.value]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield (*location, key), "the key stands here more than once, and only the last would count"
        for key, value in node.value:
            yield from _duplicate_keys(value, (*location, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _duplicate_keys(value, (*location, index))


def _line(lines: Mapping[Location, int], location: Location) -> int:
    """Line of the value, or of the nearest thing around it that is there."""
    while location and location not in lines:
        location = location[:-1]
    return lines.get(location, 1)


def _path(location: Location) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location).lstrip(".")
