"""Question answering: questions, fine-tuning, and what pretraining was worth."""

from dragon_core.qa.errors import QuestionError
from dragon_core.qa.finetuning import FineTune
from dragon_core.qa.generation import GenerateQuestions, QuestionParams
from dragon_core.qa.parameters import ArmParams, FineTuningParams
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.reading import ReadQuestions, SourceParams
from dragon_core.qa.report import ComparisonParams, Report, ReportParams
from dragon_core.qa.submission import Submission, make_submission

__all__ = [
    "ArmParams",
    "ComparisonParams",
    "FineTune",
    "FineTuningParams",
    "GenerateQuestions",
    "PreparationParams",
    "PrepareQuestions",
    "QuestionError",
    "QuestionParams",
    "ReadQuestions",
    "Report",
    "ReportParams",
    "SourceParams",
    "Submission",
    "make_submission",
]
