"""Settings and command line of a target: how it starts, and what it prints if it cannot go on."""

from __future__ import annotations

import logging
import os
import sys
from abc import abstractmethod
from io import TextIOWrapper
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError
from singer_sdk.target_base import Target
from typing_extensions import Self, override

from target_dotdigital.errors import OutputError, TargetDotdigitalError
from target_dotdigital.settings import doubts
from target_dotdigital.signals import exit_at_once
from target_dotdigital.singer.configuration import (
    CONFIG_FAILED,
    check_files,
    complete,
    read_environment,
    read_files,
    without_nulls,
)
from target_dotdigital.singer.error_messages import error_text
from target_dotdigital.singer.sdk import ConfigInput, classproperty
from target_dotdigital.singer.unread_input import drain

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from target_dotdigital.reruns import Rerun
    from target_dotdigital.settings import Purpose

_NOTHING_READ = "No row was read."


class CommandLineTarget(Target):
    """A target that tells in one line why it cannot start or go on."""

    @classmethod
    @abstractmethod
    def check_account(
        cls, config: dict[str, Any], problems: Sequence[str], doubts: Sequence[str]
    ) -> bool:
        """Check everything that a run needs, and write a line for each check.

        Args:
            config: The configuration, defaults filled in.
            problems: What is wrong with it in itself; then nobody is called.
            doubts: What in it is probably a mistake.

        Returns:
            Whether a run can succeed.
        """

    @property
    @abstractmethod
    def progress(self) -> str:
        """How many of the rows that were read are settled."""

    @property
    @abstractmethod
    def has_read(self) -> bool:
        """Whether a row was read."""

    @abstractmethod
    def tell_findings(self) -> bool:
        """Tell what a verification has found.

        Returns:
            Whether everything is as the streams have it.
        """

    # Settings.

    _env_var_config = classproperty(
        lambda cls: read_environment(cls._all_settings(), cls._env_var_prefix)
    )

    @classmethod
    def _all_settings(cls) -> dict[str, Any]:
        """Return the schema of the settings, with those that the SDK defines."""
        cls.append_builtin_config(cls.config_jsonschema)
        return cls.config_jsonschema

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find everything that is wrong with the settings, in words that repeat no value."""
        schema = self._all_settings()
        errors = complete(self._config, schema)
        if errors and raise_errors:
            raise ConfigValidationError(CONFIG_FAILED, errors=errors, schema=schema)
        for doubt in doubts(self._config, schema["properties"]):
            self.logger.warning("%s", doubt)
        return errors

    # The command.

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.help = "Load Singer messages from standard input into Dotdigital."
        file = click.Path(path_type=Path)
        command.params += [
            click.Option(
                ["--test", "is_test"],
                is_flag=True,
                help="Check the settings, the account and its address books. Nothing is written.",
            ),
            click.Option(
                ["--verify", "is_verification"],
                is_flag=True,
                help="Compare the account with the input. Nothing is written.",
            ),
            click.Option(
                ["--replay"], type=file, help="Load the rejected rows of a run once more."
            ),
            click.Option(["--undo"], type=file, help="Put back whom a mirror took out."),
        ]
        return command

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> ConfigInput:
        return read_files(value)

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: ConfigInput | None = None,
        file_input: IO[str] | None = None,
        is_test: bool = False,
        is_verification: bool = False,
        replay: Path | None = None,
        undo: Path | None = None,
    ) -> None:
        """Load the input, and end with one line that says why if it cannot be.

        Args:
            about: Print what this target is, and leave.
            about_format: How to print that.
            config: The configuration.
            file_input: What to read instead of standard input.
            is_test: Check, and leave.
            is_verification: Compare the account with the input.
            replay: A rejects file to load instead of the input.
            undo: A file for undoing to load instead of the input.
        """
        tasks = [each for each in (is_test, is_verification, replay, undo) if each]
        if len(tasks) > 1 or (file_input is not None and (replay or undo)):
            raise click.UsageError(
                "--test, --verify, --replay and --undo exclude each other; --replay and --undo "
                "also exclude --input."
            )
        if is_test and not about:
            cls._test(config or ConfigInput())
        # Not the SDK's `Target.invoke`: it keeps the target, whose counts belong into the line
        # that ends a failed run, to itself.
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        rerun = cls._open(replay, undo)
        purpose: Purpose = "verify" if is_verification else "load"
        if rerun is None:
            cls._load(config or ConfigInput(), file_input, purpose, None)
        else:
            with rerun.source:
                cls._load(config or ConfigInput(), rerun.source, purpose, rerun)

    @classmethod
    def _load(
        cls,
        config: ConfigInput,
        file_input: IO[str] | None,
        purpose: Purpose,
        rerun: Rerun | None,
    ) -> None:
        """Load the input, or compare the account with it."""
        target = cls._start(config, file_input, purpose, rerun)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # JSON, whatever the machine's locale is
        is_dry_run = bool(target.config.get("dry_run"))
        try:
            if rerun is not None:
                rerun.announce(is_dry_run=is_dry_run)
            target.listen(file_input)
            if rerun is not None and rerun.purpose == "replay" and not is_dry_run:
                rerun.archive()
        except Exception as error:  # noqa: BLE001 - every end is told in one place
            if not target.has_read:
                cls._fail_unread([error_text(error, target.progress)], file_input)
            cls._fail([error_text(error, target.progress)])
        if purpose == "verify":
            sys.exit(0 if target.tell_findings() else 1)

    @classmethod
    def _open(cls, replay: Path | None, undo: Path | None) -> Rerun | None:
        """Open the file that is to be loaded, or end if it is none that can be."""
        file = replay or undo
        if file is None:
            return None
        from target_dotdigital.reruns import open_replay, open_undo  # noqa: PLC0415 - for it alone

        try:
            return open_undo(file) if replay is None else open_replay(file)
        except TargetDotdigitalError as error:
            cls._fail([error_text(error, _NOTHING_READ)])

    @classmethod
    def _start(
        cls,
        config: ConfigInput,
        file_input: IO[str] | None,
        purpose: Purpose,
        rerun: Rerun | None,
    ) -> Self:
        """Return a target, or end if its settings are wrong or it cannot be prepared."""
        try:
            check_files(config)
            if rerun is None:
                more: dict[str, Any] = {"purpose": purpose}
                return cls(config=config.config, parse_env_config=config.parse_env, **more)
            values = without_nulls(config.config)
            if config.parse_env:
                values.update(cls._env_var_config)
            more = {
                "purpose": rerun.purpose,
                "rejects_path": rerun.rejects_path,
                "account_id": rerun.account,
            }
            return cls(config=rerun.settings(values), **more)
        except ConfigValidationError as error:
            cls._fail_unread((CONFIG_FAILED, *error.errors), file_input)
        except Exception as error:  # noqa: BLE001 - a traceback may show values
            cls._fail_unread([error_text(error, _NOTHING_READ)], file_input)

    @classmethod
    def _test(cls, config: ConfigInput) -> NoReturn:
        """Print a line for each check, and leave."""
        try:
            exit_at_once()  # nothing is written that would have to be saved
            check_files(config)
            values = without_nulls(config.config)
            if config.parse_env:
                values.update(cls._env_var_config)
            schema = cls._all_settings()
            problems = complete(values, schema)
            is_ready = cls.check_account(values, problems, doubts(values, schema["properties"]))
        except ConfigValidationError as error:
            cls._fail(error.errors)
        except Exception as error:  # noqa: BLE001 - a traceback may show values
            cls._fail([error_text(error, _NOTHING_READ)])
        sys.exit(0 if is_ready else 1)

    # How a run that has failed ends.

    @classmethod
    def _fail_unread(cls, lines: Iterable[str], file_input: IO[str] | None) -> NoReturn:
        """End before a row was read: what writes the input is let end, too."""
        signum = drain(sys.stdin) if file_input is None else None
        cls._fail(lines, 1 if signum is None else 128 + signum)

    @classmethod
    def _fail(cls, lines: Iterable[str], status: int = 1) -> NoReturn:
        """End with the lines that say why, and with nothing after them."""
        for line in lines:
            cls.logger.error("%s", line)
        sys.exit(status)


def summary_level(logger: logging.Logger) -> int:
    """Return the level of the summary: a run that logs warnings alone prints it, too.

    Args:
        logger: The target's own. The SDK sets its level from `TARGET_DOTDIGITAL_LOGLEVEL` or
            `LOGLEVEL`; Meltano sets none, and leaves lines out by its own level.
    """
    is_quiet = os.environ.get("MELTANO_CLI_LOG_LEVEL", "").lower() == "warning"
    return logging.WARNING if is_quiet or not logger.isEnabledFor(logging.INFO) else logging.INFO


def write_line(line: str) -> None:
    """Write a line to standard output.

    Args:
        line: The line.

    Raises:
        OutputError: It cannot be written.
    """
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except OSError as error:
        # Python flushes once more when it ends, and would complain on standard error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        is_closed = isinstance(error, BrokenPipeError)
        why = "is closed" if is_closed else f"cannot be written ({error.strerror})"
        raise OutputError(f"Standard output {why}. Check the program that reads it") from None


def print_line(line: str) -> None:
    """Write a line for people, whose names may be in a script that the terminal lacks.

    Args:
        line: The line.

    Raises:
        OutputError: It cannot be written.
    """
    encoding = sys.stdout.encoding
    write_line(line.encode(encoding, "backslashreplace").decode(encoding))
