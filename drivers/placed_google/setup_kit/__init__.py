"""The kit: a folder that the administrator of Google Workspace runs. Implements `placed.driver.Setup`.

There is a second one for the service account of actions, `placed.driver.ActionsSetup`.
"""

from placed_google.setup_kit.kit_writer import write_actions_kit, write_kit
from placed_google.setup_kit.questionnaire import actions_answers_of, answers_of, questions

__all__ = ["actions_answers_of", "answers_of", "questions", "write_actions_kit", "write_kit"]
