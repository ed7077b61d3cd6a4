"""Any data set that `datasets` loads, from the Hub or from files, with its columns named."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from dragon_core.artifacts import Parameters
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.question import Question
from dragon_core.qa.sources.answers import position_of_answer, position_of_label
from dragon_core.qa.sources.items import Item, MalformedItemError, list_of, make_question, text_of
from dragon_core.qa.sources.labelled_choices import labelled_choices
from dragon_core.qa.sources.params import QuestionSetParams
from dragon_core.qa.sources.reader import QuestionOf, QuestionReader
from dragon_core.qa.sources.splits import Splits

# What the Hub's sets have instead of an answer that is not known.
HIDDEN = (-1, "-1", "")


class HubColumns(Parameters):
    """Which columns hold what; a dot leads into a column of objects, such as context.contexts."""

    id: str | None = Field(None, description="Name of the question; its split and number, if there is none.")
    question: str = Field("question", description="The question.")
    context: str | None = Field(None, description="A text to answer from, or a list of texts.")
    choices: str | tuple[str, ...] = Field(
        "choices",
        description="The choices: a column of lists of texts, of texts with labels, or of texts by their labels; or"
        " several columns, a choice each.",
    )
    answer: str = Field(
        "answer", description="The answer: a position from 0, with false for 0 and true for 1, a label, or a choice."
    )


class HubParams(QuestionSetParams):
    """A data set of the Hub, or files that `datasets` reads (`make .venv/installed-hub`)."""

    source: Literal["hub"] = "hub"
    dataset: str | None = Field(None, description="Its name at the Hub, OWNER/NAME; none if its files are given.")
    revision: str | None = Field(
        None,
        pattern="^[0-9a-f]{40}$",
        description="The commit to read, all of its 40 digits; needed with a name, since a branch moves.",
    )
    config: str | None = Field(None, description="Which of its configurations.")
    train: str = Field("train", description="Split to train on, as `datasets` selects it, such as train[:90%].")
    dev: str = Field("validation", description="Split to choose the best epoch on.")
    test: str = Field("test", description="Split to report on.")
    columns: HubColumns = HubColumns()
    fixed_choices: tuple[str, ...] = Field((), description="Choices of all questions, such as yes and no.")
    labels: tuple[str, ...] = Field(
        (), description="What answers call the choices, in their order, such as 1, 2, 3; if the choices have no labels."
    )

    @model_validator(mode="after")
    def _check_revision(self) -> Self:
        if (self.dataset is None) != (self.revision is None):
            raise ValueError("give both the name of the data set and the revision (a commit), or files and neither")
        return self


def read_hub(root: Path | None, reader: QuestionReader, params: HubParams) -> Splits:
    """Read a data set.

    Args:
        root: A folder or file to read instead of the Hub.
        reader: Makes the questions.
        params: Which data set and columns.

    Raises:
        QuestionError: `datasets` is not installed, cannot load it, or finds no such columns.
    """

    def questions(split: str, is_hidden: bool = False) -> list[Question]:
        return reader.questions(_items(root, reader, params, split), _question_of(params, split), is_hidden)

    test, dev = questions(params.test, is_hidden=True), questions(params.dev)
    return Splits(questions(params.train), dev, test)


def _items(root: Path | None, reader: QuestionReader, params: HubParams, split: str) -> Iterator[Item]:
    try:
        import datasets
    except ImportError as error:
        raise QuestionError("The source `hub` needs `datasets`: make .venv/installed-hub.") from error
    name = params.dataset if root is None else str(root)
    assert name is not None
    try:
        loaded = datasets.load_dataset(name, params.config, split=split, revision=params.revision)
    # A set that is loaded by a program of its own is a RuntimeError.
    except (OSError, ValueError, RuntimeError, datasets.exceptions.DatasetsError) as error:
        raise QuestionError(
            f"`datasets` cannot load the split {split} of {name}: {error}. Check its name, revision, configuration and"
            " splits, and that the Hub can be reached; of a set with a program of its own, take a commit of the Hub's"
            " branch refs/convert/parquet."
        ) from error
    # Answers may be left out where they are not known.
    required = _columns(params) - ({params.columns.answer} if split == params.test else set())
    if missing := sorted(column for column in required if not _may_hold(loaded.features, column)):
        present = ", ".join(_names_of(loaded.features))
        raise QuestionError(
            f"The split {split} of {name} has no column {', '.join(missing)}: it has {present}."
            " Name its columns in `columns`."
        )
    yield from reader.items(f"{name if root is None else root.name}, {split}", enumerate(loaded, start=1))


def _columns(params: HubParams) -> set[str]:
    columns = params.columns
    choices = (columns.choices,) if isinstance(columns.choices, str) else columns.choices
    named = [columns.id, columns.question, columns.context, columns.answer, *(() if params.fixed_choices else choices)]
    return {name for name in named if name is not None}


def _may_hold(features: Mapping[str, Any], name: str) -> bool:
    """Whether `_value` may find something by a name in rows of these features."""
    from datasets import ClassLabel, LargeList, List, Value

    if name in features:
        return True
    outer, _, inner = name.partition(".")
    if outer not in features:
        return False
    within = features[outer]
    if isinstance(within, Mapping):
        return _may_hold(within, inner)
    # Of a column that has nothing in any row, or JSON of any form, the rows tell.
    return not isinstance(within, ClassLabel | LargeList | List | Value) or within == Value("null")


def _names_of(features: Mapping[str, Any]) -> Iterator[str]:
    """Names of columns, and of those within them."""
    for name, feature in features.items():
        yield name
        if isinstance(feature, Mapping):
            yield from (f"{name}.{inner}" for inner in _names_of(feature))


def _question_of(params: HubParams, split: str) -> QuestionOf:
    columns = params.columns

    def question_of(row: Item) -> Question:
        item = replace(row, fields={name: _value(row.fields, name) for name in _columns(params)})
        labels, choices = _choices(item, params)
        answer = item.fields[columns.answer]
        if isinstance(answer, bool) and not labels:
            answer = int(answer)
        position = None
        if answer is not None and answer not in HIDDEN:
            position = position_of_label(answer, labels) if labels else position_of_answer(answer, choices)
        question_id = item.identifier(columns.id) if columns.id is not None else f"{split}-{item.record}"
        context = "" if columns.context is None else _context(item.fields[columns.context])
        return make_question(question_id, item.text(columns.question), choices, position, context, labels)

    return question_of


def _value(fields: Mapping[str, Any], name: str) -> Any:
    """What a row has in a column, or within it; None if it has nothing."""
    if name in fields:
        return fields[name]
    outer, _, inner = name.partition(".")
    within = fields.get(outer)
    return _value(within, inner) if isinstance(within, Mapping) else None


def _context(value: Any) -> str:
    texts = value if isinstance(value, list) else [value]
    return " ".join(text_of(text, "context") for text in texts if text is not None and text != "")


def _choices(item: Item, params: HubParams) -> tuple[list[str], list[str]]:
    """Labels and texts of the choices; labels are empty if they have none."""
    labels, column = list(params.labels), params.columns.choices
    if params.fixed_choices:
        choices = list(params.fixed_choices)
    elif not isinstance(column, str):
        choices = [item.text(name) for name in column]
    else:
        own_labels, choices = choices_in(item.fields.get(column))
        labels = labels or own_labels
    if labels and len(labels) != len(choices):
        raise MalformedItemError(f"it has {len(choices)} choices, and {len(labels)} labels are given")
    return labels, choices


def choices_in(value: Any) -> tuple[list[str], list[str]]:
    """Labels and texts of choices in any of the forms that columns have them in.

    Args:
        value: Texts; objects with a label and a text, or a key and a value, as BigBio's sets have; an object with a
            list of labels and one of texts; or texts by their labels.

    Returns:
        Labels, or nothing if the choices have none, and texts.

    Raises:
        MalformedItemError: It has another form.
    """
    if isinstance(value, dict):
        if value.keys() == {"label", "text"}:
            labels, texts = list_of(value["label"], "labels"), list_of(value["text"], "texts")
            if len(labels) != len(texts):
                raise MalformedItemError(f"its choices have {len(labels)} labels and {len(texts)} texts")
            return labelled_choices([{"label": label, "text": text} for label, text in zip(labels, texts, strict=True)])
        # A table has null for the labels that a row lacks.
        return labelled_choices([{"label": key, "text": text} for key, text in value.items() if text is not None])
    entries = list_of(value, "choices")
    if entries and isinstance(entries[0], dict):
        if all(isinstance(entry, dict) and entry.keys() == {"key", "value"} for entry in entries):
            entries = [{"label": entry["key"], "text": entry["value"]} for entry in entries]
        return labelled_choices(entries)
    return [], [text_of(entry, "choice") for entry in entries]
