"""The kit: a folder that the tenant's administrator can read and run. Implements `placed.driver.Setup`."""

from placed_microsoft365.setup_kit.kit_writer import write_kit
from placed_microsoft365.setup_kit.questionnaire import answers_of, questions

__all__ = ["answers_of", "questions", "write_kit"]
