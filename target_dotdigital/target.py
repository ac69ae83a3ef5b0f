"""The target: settings, the SDK's hooks, signals and the command line."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import contextmanager
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, ClassVar, NoReturn

import click
from singer_sdk.exceptions import ConfigValidationError, InvalidJSONSchema
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.target_base import Target
from typing_extensions import override

from target_dotdigital.clock import Clock
from target_dotdigital.errors import AbandonedError, DataError, StorageError
from target_dotdigital.mapping import (
    SharedSchema,
    check_key_properties,
    check_properties,
    check_schema,
)
from target_dotdigital.preflight import report
from target_dotdigital.reader import MessageReader
from target_dotdigital.report import Outcome
from target_dotdigital.run import Run
from target_dotdigital.settings import (
    CONFIG_SCHEMA,
    Settings,
    doubts,
    from_environment,
    problems,
    whole_names,
)
from target_dotdigital.signals import exit_at_once
from target_dotdigital.singer import (
    ConfigFiles,
    Selection,
    computed,
    config_files,
    drain,
    flattenable,
    join_flattened_arrays,
    without_old_names,
)
from target_dotdigital.singer_lines import state_text
from target_dotdigital.sink import ContactSink
from target_dotdigital.telling import SAFE_ERRORS, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import FrameType

    from singer_sdk.plugin_base import _ConfigInput
    from singer_sdk.sinks import Sink

FORWARDED_SIGNAL_SECONDS = 2.0
"""A second signal within this time is the first one, forwarded: Ctrl-C under Meltano arrives as
SIGINT from the terminal and as SIGTERM from Meltano."""

LEAVE_MARGIN_SECONDS = 5.0
"""After `shutdown_grace_seconds` and this, the process ends whatever still holds it."""


class TargetDotdigital(Target):
    """Upserts contacts into address books of Dotdigital through the v3 bulk import."""

    name = "target-dotdigital"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    default_sink_class = ContactSink
    message_reader_class = MessageReader
    message_reader: MessageReader
    pace: ClassVar[float] = 1.0
    """How many seconds of its clock pass in a real one. Rehearsals hurry it."""

    def __init__(self, *, config: dict[str, Any] | None = None, **kwargs: Any) -> None:
        """Check the settings and prepare a run.

        Args:
            config: The configuration; it is not changed.
            **kwargs: The SDK's own arguments.

        Raises:
            ConfigValidationError: The settings are wrong; it lists everything that is.
            StorageError: The rejects file or the report could not be written.
        """
        self._first_signal: tuple[int, float] | None = None
        self._run: Run | None = None
        self._schema_message: dict[str, Any] | None = None
        self._properties: dict[str, Any] = {}
        join_flattened_arrays()
        self._left_out: dict[str, list[str]] = {}
        super().__init__(config=_without_nulls(config or {}), **kwargs)
        # Everything but the imports themselves stays in the main thread.
        self.max_parallelism = 1
        clock = Clock(self.pace)
        self._run = Run(Settings.from_config(self.config), _write_line, clock)
        self._selection = Selection(self._run.settings, self.mapper)
        self.message_reader.attend(self._run, self._saving_what_can_be)

    @property
    def run(self) -> Run:
        """The run."""
        if self._run is None:
            raise AssertionError
        return self._run

    # Settings.

    _env_var_config = classproperty(lambda cls: cls._read_environment())

    @classmethod
    def _read_environment(cls) -> dict[str, Any]:
        cls.append_builtin_config(cls.config_jsonschema)
        return _without_nulls(from_environment(cls.config_jsonschema, cls._env_var_prefix))

    @override
    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Find everything that is wrong with the settings, in words that repeat no value."""
        errors = self._complete(self._config)
        if errors and raise_errors:
            raise ConfigValidationError(
                "Config validation failed", errors=errors, schema=self.config_jsonschema
            )
        for doubt in doubts(self._config, self.config_jsonschema["properties"]):
            self.logger.warning("%s", doubt)
        return errors

    @classmethod
    def _complete(cls, config: dict[str, Any]) -> list[str]:
        """Fill defaults in, and return what is wrong."""
        cls.append_builtin_config(cls.config_jsonschema)
        for name, definition in cls.config_jsonschema["properties"].items():
            if "default" in definition:
                config.setdefault(name, definition["default"])
        return problems(config, cls.config_jsonschema)

    # Messages.

    @override
    def get_sink(
        self,
        stream_name: str,
        *,
        record: dict[str, Any] | None = None,
        schema: dict[str, Any] | None = None,
        key_properties: Sequence[str] | None = None,
    ) -> Sink:
        if schema is not None:
            schema = self._as_it_is(schema)
        if schema is not None and self._schema_message is not None:
            self.run.mirrors.note_schema(stream_name, self._schema_message)
        if schema is not None and self.sink_exists(stream_name):
            # A new SCHEMA: earlier rows are on their way before the new mapping is checked.
            self.run.flush()
        return super().get_sink(
            stream_name, record=record, schema=schema, key_properties=key_properties
        )

    @override
    def _process_schema_message(self, message_dict: dict[str, Any]) -> None:
        """Take a SCHEMA in. The SDK and its libraries fail in many ways at one that is none."""
        if self._leave_out(message_dict):
            return
        check_key_properties(message_dict)
        check_properties(message_dict)
        self._schema_message = message_dict
        # Stream maps write into the schema that they are given.
        self._properties = dict(message_dict["schema"]["properties"])
        try:
            super()._process_schema_message(self._prepared(message_dict))
        except SAFE_ERRORS:
            raise
        except Exception:
            stream = message_dict["stream"]
            check_schema(stream, message_dict["schema"])
            if stream not in self.mapper.stream_maps:
                raise InvalidJSONSchema(
                    f"Stream '{stream}': the SDK cannot flatten this schema; set "
                    "flattening_enabled to false"
                ) from None
            raise  # the schema is sound, so it is a fault of ours
        # Of a SCHEMA that is the same for the SDK, too: it looks at less.
        for stream_map in self.mapper.stream_maps[message_dict["stream"]]:
            self.run.mirrors.note_schema(stream_map.stream_alias, message_dict)
        self._open_lane(message_dict["stream"])

    def _prepared(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return a SCHEMA message that the SDK can copy cheaply, and flatten if it is to."""
        schema = message["schema"]
        if self._flattens:
            schema = flattenable(schema, self.mapper.flattening_options.max_level)
        return {**message, "schema": SharedSchema(schema)}

    @property
    def _flattens(self) -> bool:
        options = self.mapper.flattening_options
        return options.enabled and options.max_level > 0

    def _as_it_is(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return what a stream map has made of a schema, without what the SDK only guesses."""
        if self._schema_message is None:
            return schema
        stream = self._schema_message["stream"]
        found = computed(self.mapper.stream_maps_dict, stream, self._properties)
        for stream_map, properties in zip(self.mapper.stream_maps[stream], found, strict=True):
            if stream_map.transformed_schema is schema and properties:
                known = {
                    name: properties[name] for name in properties.keys() & schema["properties"]
                }
                schema = {**schema, "properties": {**schema["properties"], **known}}
                break
        return SharedSchema(without_old_names(schema) if self._flattens else schema)

    def _leave_out(self, message: dict[str, Any]) -> bool:
        """Return whether a message's stream is not loaded; nothing more of it is looked at then."""
        self._assert_line_requires(message, requires={"stream"})
        stream = message["stream"]
        names = self._selection.left_out(message)
        if names is None:
            self._left_out.pop(stream, None)
            return False
        for name, reason in names.items():
            self.run.counts(name)  # it has come
            if reason is not None:
                self.run.warn_skipped(name, reason)
        self._left_out[stream] = list(names)
        self.run.mirrors.note_tap_stream(stream)
        self.message_reader.fast_sinks.pop(stream, None)
        self.mapper.stream_maps.pop(stream, None)
        return True

    def _open_lane(self, stream: str) -> None:
        """Let the reader take a stream's lines without a look at each, if that is enough."""
        fast_sinks = self.message_reader.fast_sinks
        fast_sinks.pop(stream, None)
        stream_maps = self.mapper.stream_maps[stream]
        if len(stream_maps) == 1 and self.sink_exists(stream_maps[0].stream_alias):
            sink = self.get_sink(stream_maps[0].stream_alias)
            if isinstance(sink, ContactSink) and sink.open_lane(stream, stream_maps[0]):
                fast_sinks[stream] = sink

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        names = self._left_out.get(message_dict.get("stream", ""))
        if names is not None:
            self.run.skip(names)
            return
        self._assert_line_requires(message_dict, requires={"stream", "record"})
        stream = message_dict["stream"]
        if stream not in self.mapper.stream_maps:
            if self._leave_out(message_dict):
                self.run.skip(self._left_out[stream])
                return
            self._assert_sink_exists(stream)
        self.run.position += 1
        for stream_map in self.mapper.stream_maps[stream]:
            sink = self.get_sink(stream_map.stream_alias)
            if isinstance(sink, ContactSink):
                sink.receive(message_dict, self.message_reader.line, stream_map)

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Note a STATE. An empty one says nothing, and is not passed on."""
        self._assert_line_requires(message_dict, requires={"value"})
        self.run.mirrors.note_state(message_dict["value"])
        if message_dict["value"]:
            self.run.note_state(state_text(self.message_reader.line))

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Do nothing: STATE leaves through the gate alone, never at the end of a drain."""

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Mark the end of a mirror's load; otherwise no version of a stream replaces another."""
        self._assert_line_requires(message_dict, requires={"stream"})
        stream = message_dict["stream"]
        if stream in self._left_out:
            return
        if stream not in self.mapper.stream_maps:
            self.logger.warning("ACTIVATE_VERSION for a stream without SCHEMA, '%s'", stream)
            return
        for stream_map in self.mapper.stream_maps[stream]:
            self.run.mirrors.note_activation(stream_map.stream_alias, message_dict.get("version"))

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        if message_dict.get("stream") in self._left_out:
            return
        raise DataError("BATCH messages are not taken: switch the tap's batch_config off")

    # The end.

    @override
    def process_endofpipe(self) -> None:
        with self._saving_what_can_be():
            super().process_endofpipe()
            self.run.finish()
        self._end(None)
        if self._first_signal is not None:
            self._leave_stopped(self._first_signal[0])

    @contextmanager
    def _saving_what_can_be(self) -> Iterator[None]:
        """When something fails, save what can be saved, and tell what became of the rows."""
        try:
            yield
        except Exception as error:
            if not isinstance(error, AbandonedError):
                self.logger.info("The run fails; waiting for the imports that are active")
            self.run.give_up()
            try:
                self._end(error)
            except StorageError as problem:
                self._tell(problem)  # and then what the run failed of
            if self._first_signal is not None:
                if not isinstance(error, AbandonedError):
                    self._tell(error)
                self._leave_stopped(self._first_signal[0])
            raise

    def _leave_stopped(self, signum: int) -> NoReturn:
        """End with one line that says what stopped the run, and what it leaves to the next one."""
        name = signal.Signals(signum).name
        self.logger.warning("Stopped by %s. %s", name, self.run.remainder())
        sys.exit(128 + signum)

    def _tell(self, error: Exception) -> None:
        """Say in one line what happened, how many rows are settled, and who must act."""
        self.logger.error("%s", shown(error, self.run.progress()))

    def _end(self, error: Exception | None) -> None:
        for line in self.run.summary():
            self.logger.info("%s", line)
        for line in self.run.warnings():
            self.logger.warning("%s", line)
        try:
            self.run.conclude(self._outcome(error))
        finally:
            self.run.close()

    def _outcome(self, error: Exception | None) -> Outcome:
        reason = None
        if error is not None and not isinstance(error, AbandonedError):
            reason = shown(error, self.run.progress()).partition("\n")[0]
        if self._first_signal is not None:
            stopped = f"stopped by {signal.Signals(self._first_signal[0]).name}"
            return Outcome("stopped", stopped if reason is None else f"{stopped}; {reason}")
        return Outcome("succeeded" if error is None else "failed", reason)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Ask the run to end. The SDK's own handler would print STATE for rows in flight."""
        now = time.monotonic()
        if self._first_signal is None:
            self._first_signal = (signum, now)
            if self._run is None or self._run.is_connecting:
                sys.exit(128 + signum)  # nothing has been read or sent
            self._run.stop()
            # An alarm, not a timer thread: the main thread may be interrupted while it holds a lock
            # that starting or logging needs.
            signal.signal(signal.SIGALRM, lambda *_: os._exit(128 + signum))
            grace = self._run.settings.shutdown_grace_seconds
            signal.setitimer(signal.ITIMER_REAL, grace + LEAVE_MARGIN_SECONDS)
        elif now - self._first_signal[1] > FORWARDED_SIGNAL_SECONDS:
            os._exit(128 + signum)

    # The command line.

    @classmethod
    @override
    def get_singer_command(cls) -> click.Command:
        command = super().get_singer_command()
        command.params.append(
            click.Option(
                ["--test", "is_test"],
                is_flag=True,
                help="Check settings, account and address books, and write nothing.",
            )
        )
        return command

    @classmethod
    @override
    def cb_config(
        cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]
    ) -> _ConfigInput:
        return config_files.read(value)

    @classmethod
    @override
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: _ConfigInput | None = None,
        file_input: IO[str] | None = None,
        is_test: bool = False,
    ) -> None:
        """Load the input, and end with one line that says why if it cannot be.

        Args:
            about: Print what this target is, and leave.
            about_format: How to print that.
            config: The configuration.
            file_input: What to read instead of standard input.
            is_test: Check, and leave.
        """
        if is_test and not about:
            try:
                status = cls._test(config)
            except ConfigValidationError as error:
                cls._fail(error.errors, file_input, is_unread=False)
            except Exception as error:  # noqa: BLE001 - a traceback may show values
                cls.logger.error("%s", shown(error, "no row was read"))  # noqa: TRY400
                status = 1
            sys.exit(status)
        # Not the SDK's `Target.invoke`: it keeps the target, whose counts belong into the line
        # that ends a failed run, to itself.
        super(Target, cls).invoke(about=about, about_format=about_format)
        cls.print_version(print_fn=cls.logger.info)
        try:
            _check_files(config)
            target = cls(
                config=config.config if config else None,
                parse_env_config=config.parse_env if config else False,
            )
        except ConfigValidationError as error:
            cls._fail(("Config validation failed", *error.errors), file_input, is_unread=True)
        except Exception as error:  # noqa: BLE001 - a traceback may show values
            cls._fail([shown(error, "no row was read")], file_input, is_unread=True)
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")  # JSON, whatever the machine's locale is
        try:
            target.listen(file_input)
        except Exception as error:  # noqa: BLE001 - every end is told in one place
            line = shown(error, target.run.progress())
            cls._fail([line], file_input, is_unread=not target.run.has_read)

    @classmethod
    def _fail(
        cls, lines: Iterable[str], file_input: IO[str] | None, *, is_unread: bool
    ) -> NoReturn:
        """End a run that has failed with the lines that say why, and with nothing after them.

        Args:
            lines: What is told.
            file_input: What is read instead of standard input.
            is_unread: Whether no row was read: what writes them is let end, too.
        """
        signum = drain(sys.stdin) if is_unread and file_input is None else None
        for line in lines:
            cls.logger.error("%s", line)
        sys.exit(1 if signum is None else 128 + signum)

    @classmethod
    def _test(cls, config: _ConfigInput | None) -> int:
        """Print a line for each check of the preflight, and return the exit status."""
        exit_at_once()  # nothing is written that would have to be saved
        _check_files(config)
        values = _without_nulls(config.config if config else {})
        if config is not None and config.parse_env:
            values.update(cls._env_var_config)
        wrong = cls._complete(values)
        doubtful = doubts(values, cls.config_jsonschema["properties"])
        is_ready = report(values, wrong, doubtful, Clock(cls.pace), _print_line)
        return 0 if is_ready else 1


def _check_files(config: _ConfigInput | None) -> None:
    """Make sure that the files of `--config` hold settings.

    Raises:
        ConfigValidationError: One does not; it lists all that is wrong.
    """
    if isinstance(config, ConfigFiles) and config.problems:
        raise ConfigValidationError("Config validation failed", errors=config.problems, schema={})


def _without_nulls(config: dict[str, Any]) -> dict[str, Any]:
    """Return a copy in which settings that are null are not set."""
    known = CONFIG_SCHEMA["properties"]
    kept = {key: value for key, value in config.items() if value is not None or key not in known}
    streams = kept.get("streams")
    if isinstance(streams, dict):
        kept["streams"] = {
            name: {key: value for key, value in stream.items() if value is not None}
            if isinstance(stream, dict)
            else stream
            for name, stream in whole_names(streams).items()
        }
    return kept


def _print_line(line: str) -> None:
    """Print a line for people, whose names may be in a script that the terminal lacks."""
    encoding = sys.stdout.encoding
    _write_line(line.encode(encoding, "backslashreplace").decode(encoding))


def _write_line(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more when it ends, and would complain on standard error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise StorageError("Standard output is closed: nothing can be told") from None
