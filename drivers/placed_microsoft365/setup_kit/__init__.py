"""The kit: a folder that the tenant's administrator can read and run."""

from placed_microsoft365.setup_kit.kit_writer import write_kit
from placed_microsoft365.setup_kit.questionnaire import QUESTIONS, answers_of

__all__ = ["QUESTIONS", "answers_of", "write_kit"]
