"""Settings from environment variables and systemd credentials, which override files; by pydantic-settings.

It is imported only where anything is set there, since that takes an eighth of the start.
"""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any, cast

from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    InitSettingsSource,
    NestedSecretsSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from placed.domain.problem import Problem
from placed.settings.error_messages import ENVIRONMENT
from placed.settings.schema import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from placed.settings.schema import Settings


_EXAMPLE = '{"key": "value"} for a table, ["value"] for a list'


class Unreadable(Exception):
    """The value of a variable or a credential cannot be parsed."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


def over(kind: type[Settings], files: dict[str, Any]) -> Settings:
    """The settings of files, overridden by credentials and variables.

    Args:
        kind: the type of the settings.
        files: the merged content of the files.

    Raises:
        ValidationError: they are not as they have to be.
        Unreadable: a value cannot be parsed.
    """

    class Sourced(kind, BaseSettings):  # type: ignore[valid-type, misc] # the type is known at run time only
        model_config = SettingsConfigDict(env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[Any],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            del init_settings, env_settings, dotenv_settings
            sources: list[PydanticBaseSettingsSource] = [EnvSettingsSource(settings_cls)]
            credentials = os.environ.get("CREDENTIALS_DIRECTORY")
            if credentials:
                sources.append(
                    NestedSecretsSettingsSource(
                        file_secret_settings,
                        secrets_dir=credentials,
                        secrets_dir_missing="ok",
                        secrets_prefix=ENVIRONMENT_PREFIX,
                        secrets_nested_delimiter="__",
                    )
                )
            return (*sources, InitSettingsSource(settings_cls, files))

    try:
        return cast("Settings", Sourced())
    except SettingsError as error:
        raise Unreadable(_not_json(str(error))) from None


def _not_json(text: str) -> Problem:
    """The problem of a variable with incomplete JSON, from the field that pydantic-settings names."""
    named = re.search(r'field "(\w+)"', text)
    of_field = f"{ENVIRONMENT_PREFIX}{named[1] if named else ''}".upper()
    names = [name for name in sorted(os.environ) if name.upper().partition("__")[0].startswith(of_field)]
    broken = [name for name in names if not _is_json(os.environ[name])] or names
    return Problem(" or ".join(broken) or of_field, f"expected JSON, such as {_EXAMPLE}", file=ENVIRONMENT)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
