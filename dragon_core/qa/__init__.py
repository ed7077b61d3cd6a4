"""Question answering: questions, fine-tuning, and what pretraining was worth."""

from dragon_core.qa.answering import Answer, QuestionAnswerer
from dragon_core.qa.errors import QuestionError
from dragon_core.qa.finetuning import ArmParams, FineTune
from dragon_core.qa.generation import GenerateQuestions, QuestionParams
from dragon_core.qa.preparation import PrepareQuestions
from dragon_core.qa.preparer import PreparationParams
from dragon_core.qa.reading import ReadQuestions, SourceParams
from dragon_core.qa.report import ComparisonParams, Report, ReportParams
from dragon_core.qa.submission import Submission, make_submission
from dragon_core.qa.tuning import FineTuningParams

__all__ = [
    "Answer",
    "ArmParams",
    "ComparisonParams",
    "FineTune",
    "FineTuningParams",
    "GenerateQuestions",
    "PreparationParams",
    "PrepareQuestions",
    "QuestionAnswerer",
    "QuestionError",
    "QuestionParams",
    "ReadQuestions",
    "Report",
    "ReportParams",
    "SourceParams",
    "Submission",
    "make_submission",
]
