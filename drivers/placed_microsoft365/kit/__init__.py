"""The kit: a folder that the tenant's administrator can read and run."""

from placed_microsoft365.kit.answers import QUESTIONS, answers_of
from placed_microsoft365.kit.writing import write_kit

__all__ = ["QUESTIONS", "answers_of", "write_kit"]
