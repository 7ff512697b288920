"""What environment variables and systemd credentials set, laid over what files say: by pydantic-settings.

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

from placed.domain.problems import Problem
from placed.settings.error_messages import ENVIRONMENT
from placed.settings.schema import ENVIRONMENT_PREFIX

if TYPE_CHECKING:
    from placed.settings.schema import Settings


_EXAMPLE = '{"key": "value"} for a table, ["value"] for a list'


class Unreadable(Exception):
    """A variable or a credential cannot be read as what it sets."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.line)
        self.problem = problem


def over(kind: type[Settings], files: dict[str, Any]) -> Settings:
    """The settings of files, and over them those of credentials and of variables.

    Args:
        kind: the type of the settings.
        files: what the files say together.

    Raises:
        ValidationError: they are not as they have to be.
        Unreadable: they can not be read.
    """

    class Sourced(kind, BaseSettings):  # type: ignore[valid-type, misc] # which type is known only now
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
    """The variables of the field that pydantic-settings names, of which one holds half of some JSON."""
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
