"""Files that the options for the status endpoint name: tokens, and the trusted CA."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from placed.domain.exit_errors import ExitCode

if TYPE_CHECKING:
    import ssl


def read_token(file: str, option: str = "--token-file") -> str:
    """The token in a file; a file that cannot be used ends the command."""
    from pathlib import Path

    from placed.driver import Exposed, read_secret

    try:
        return read_secret(Path(file)).decode().strip()
    except UnicodeDecodeError:
        problem = "is not a text file"
    except OSError as error:
        problem = str(error.strerror)
    except Exposed as exposed:
        problem = exposed.problem.line
    typer.echo(f"placed: {option} {file}: {problem}", err=True)
    raise typer.Exit(ExitCode.USAGE)


def read_ca(file: str) -> ssl.SSLContext:
    """Trusts the certificates in a file; one that cannot be used ends the command."""
    import ssl

    try:
        return ssl.create_default_context(cafile=file)
    except ssl.SSLError:
        problem = "contains no certificate; name a PEM file with the CA"
    except OSError as error:
        problem = str(error.strerror)
    typer.echo(f"placed: --ca-file {file}: {problem}", err=True)
    raise typer.Exit(ExitCode.USAGE)
