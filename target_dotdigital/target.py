"""The target: what the SDK calls when settings, messages, signals and the end of the input come."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, ClassVar

from singer_sdk.exceptions import InvalidJSONSchema, RecordsWithoutSchemaException
from singer_sdk.helpers.capabilities import PluginCapabilities
from singer_sdk.target_base import Target
from typing_extensions import override

from target_dotdigital.batch_files import record_lines
from target_dotdigital.clock import Clock
from target_dotdigital.errors import AbandonedError, DataError, StorageError
from target_dotdigital.mapping import check_key_properties, check_properties, check_schema
from target_dotdigital.reader import FastStream, MessageReader
from target_dotdigital.report import Outcome
from target_dotdigital.run import build_run
from target_dotdigital.settings import CONFIG_SCHEMA, Settings
from target_dotdigital.signals import ReceivedSignal, exit_after
from target_dotdigital.singer import (
    SAFE_ERRORS,
    CommandLineTarget,
    Selection,
    described,
    error_text,
    join_flattened_arrays,
    prepared,
    print_line,
    summary_level,
    without_nulls,
    write_line,
)
from target_dotdigital.singer_lines import state_text
from target_dotdigital.sink import ContactSink, SinkTarget

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import FrameType

    from singer_sdk.helpers.capabilities import CapabilitiesEnum
    from singer_sdk.sinks import Sink

    from target_dotdigital.run import Intake, Run
    from target_dotdigital.settings import Purpose

LEAVE_MARGIN_SECONDS = 5.0
"""After `shutdown_grace_seconds` and this, the process ends whatever still holds it."""


class TargetDotdigital(CommandLineTarget, SinkTarget):
    """Upserts contacts into address books of Dotdigital through the v3 bulk import."""

    name = "target-dotdigital"
    config_jsonschema: ClassVar[dict[str, Any]] = CONFIG_SCHEMA
    capabilities: ClassVar[list[CapabilitiesEnum]] = [
        *Target.capabilities,
        PluginCapabilities.BATCH,
    ]
    default_sink_class = ContactSink
    message_reader_class = MessageReader
    message_reader: MessageReader
    pace: ClassVar[float] = 1.0
    """How many seconds of its clock pass in a real one. Rehearsals hurry it."""

    def __init__(
        self,
        *,
        config: dict[str, Any] | None = None,
        purpose: Purpose = "load",
        rejects_path: Path | None = None,
        account_id: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Check the settings and prepare a run.

        Args:
            config: The configuration; it is not changed.
            purpose: What the run is for.
            rejects_path: Where a file that is loaded again has its rejected rows put.
            account_id: The ID of the account that such a file is of, if that is known.
            **kwargs: The SDK's own arguments.

        Raises:
            ConfigValidationError: The settings are wrong; it lists everything that is.
            StorageError: The rejects file or the report could not be written.
        """
        self._signal = ReceivedSignal()
        self._run: Run | None = None
        self._schema_message: dict[str, Any] | None = None
        self._properties: dict[str, Any] = {}
        self._left_out: dict[str, list[str]] = {}
        join_flattened_arrays()
        super().__init__(config=without_nulls(config or {}), **kwargs)
        # Everything but the imports themselves stays in the main thread.
        self.max_parallelism = 1
        settings = Settings.from_config(self.config)
        settings = settings.for_purpose(purpose, rejects_path, account_id)
        self._run = build_run(settings, write_line, Clock(self.pace))
        self._selection = Selection(self._run.settings, self.mapper)
        self.message_reader.attend(self._run, self.save)

    @property
    def run(self) -> Run:
        """The run."""
        if self._run is None:
            raise AssertionError
        return self._run

    @override
    def tell_findings(self) -> bool:
        return self.run.tell_findings()

    @classmethod
    @override
    def check_account(
        cls, config: dict[str, Any], problems: Sequence[str], doubts: Sequence[str]
    ) -> bool:
        from target_dotdigital.preflight import run_preflight  # noqa: PLC0415 - for `--test` alone

        return run_preflight(config, problems, doubts, Clock(cls.pace), print_line)

    @property
    @override
    def progress(self) -> str:
        return self.run.summary.progress()

    @property
    @override
    def has_read(self) -> bool:
        return self.run.summary.has_read

    @property
    @override
    def intake(self) -> Intake:
        return self.run.intake

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
        message = self._schema_message
        if schema is not None and message is not None:
            schema = described(schema, self.mapper, message["stream"], self._properties)
            self.intake.mirrors.process_schema(stream_name, message)
        if schema is not None and self.sink_exists(stream_name):
            # A new SCHEMA: earlier rows are on their way before the new mapping is checked.
            self.intake.flush()
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
        self.intake.schema_line = self.message_reader.line
        # Stream maps write into the schema that they are given.
        self._properties = dict(message_dict["schema"]["properties"])
        try:
            super()._process_schema_message(prepared(message_dict, self.mapper))
        except SAFE_ERRORS:
            raise
        except Exception:
            stream = message_dict["stream"]
            check_schema(stream, message_dict["schema"])
            if stream not in self.mapper.stream_maps:
                raise InvalidJSONSchema(
                    f"Stream '{stream}': the SDK cannot flatten this schema. Set "
                    "flattening_enabled: false"
                ) from None
            raise  # the schema is sound, so it is a fault of ours
        # Of a SCHEMA that is the same for the SDK, too: it looks at less.
        for stream_map in self.mapper.stream_maps[message_dict["stream"]]:
            self.intake.note_schema(stream_map.stream_alias, message_dict)
        self._open_fast_path(message_dict["stream"])

    def _leave_out(self, message: dict[str, Any]) -> bool:
        """Return whether a message's stream is not loaded; nothing more of it is looked at then."""
        self.message_reader.assert_line_requires(message, requires={"stream"})
        stream = message["stream"]
        names = self._selection.left_out(message)
        if names is None:
            self._left_out.pop(stream, None)
            return False
        for name, reason in names.items():
            self.intake.note_settings(self.intake.counts(name), reason)  # it has come
        self._left_out[stream] = list(names)
        self.intake.mirrors.process_skipped_stream(stream)
        self.message_reader.fast_streams.pop(stream, None)
        self.mapper.stream_maps.pop(stream, None)
        return True

    def _open_fast_path(self, stream: str) -> None:
        """Let the reader take a stream's lines without a look at each, if that is enough."""
        fast_streams = self.message_reader.fast_streams
        fast_streams.pop(stream, None)
        stream_maps = self.mapper.stream_maps[stream]
        if len(stream_maps) == 1 and self.sink_exists(stream_maps[0].stream_alias):
            sink = self.get_sink(stream_maps[0].stream_alias)
            if isinstance(sink, ContactSink):
                rows = sink.open_fast_path(stream, stream_maps[0])
                if rows is not None:
                    fast_streams[stream] = FastStream(rows.decode, rows.receive_all, rows.are_known)

    @override
    def _process_record_message(self, message_dict: dict[str, Any]) -> None:
        if (names := self._skipped(message_dict, "RECORD", {"stream", "record"})) is not None:
            self.intake.skip(names)
            return
        stream = message_dict["stream"]
        self.intake.next_row()
        for stream_map in self.mapper.stream_maps[stream]:
            sink = self.get_sink(stream_map.stream_alias)
            if isinstance(sink, ContactSink):
                sink.receive(message_dict, self.message_reader.line, stream_map)

    def _skipped(self, message: dict[str, Any], kind: str, requires: set[str]) -> list[str] | None:
        """Return the names under which a message's rows are skipped; None if they are loaded."""
        names = self._left_out.get(message.get("stream", ""))
        if names is not None:
            return names
        self.message_reader.assert_line_requires(message, requires=requires)
        stream = message["stream"]
        if stream in self.mapper.stream_maps:
            return None
        if self._leave_out(message):
            return self._left_out[stream]
        raise RecordsWithoutSchemaException(
            f"a {kind} of stream '{stream}' came before its SCHEMA. Correct the tap"
        )

    @override
    def _process_state_message(self, message_dict: dict[str, Any]) -> None:
        """Note a STATE. An empty one says nothing, and is not passed on."""
        self.message_reader.assert_line_requires(message_dict, requires={"value"})
        self.intake.mirrors.process_state(message_dict["value"])
        if message_dict["value"]:
            self.run.pipeline.note_state(state_text(self.message_reader.line))

    @override
    def _write_state_message(self, state: dict[str, Any]) -> None:
        """Do nothing: STATE leaves through the gate alone, never at the end of a drain."""

    @override
    def _process_activate_version_message(self, message_dict: dict[str, Any]) -> None:
        """Mark the end of a mirror's load; otherwise no version of a stream replaces another."""
        self.message_reader.assert_line_requires(message_dict, requires={"stream"})
        stream = message_dict["stream"]
        if stream in self._left_out:
            return
        if stream not in self.mapper.stream_maps:
            self.logger.warning(
                "Stream '%s': its ACTIVATE_VERSION came without a SCHEMA, and is ignored", stream
            )
            return
        for stream_map in self.mapper.stream_maps[stream]:
            self.intake.mirrors.process_activate_version(
                stream_map.stream_alias, message_dict.get("version")
            )

    @override
    def _process_batch_message(self, message_dict: dict[str, Any]) -> None:
        """Take the rows of a BATCH message's files. The SDK lets each sink read them anew."""
        if self._skipped(message_dict, "BATCH", {"stream", "encoding", "manifest"}) is not None:
            return  # nobody knows how many rows it has, and its files may be anywhere
        storage, line = self.run.settings.batch_storage, self.message_reader.line_number
        self.message_reader.process_batch(record_lines(message_dict, line, storage))

    # The end.

    @override
    def process_endofpipe(self) -> None:
        try:
            super().process_endofpipe()
            self.run.finish()
        except Exception as error:
            self.save(error)
            raise
        self._conclude(None)
        self._exit_if_stopped()

    def save(self, error: Exception) -> None:
        """Save what can be saved after a failure, and tell what became of the rows.

        Args:
            error: What the run fails of. It is told by whoever catches it, except after a signal:
                then the process ends here.
        """
        try:
            self.run.give_up()
        finally:
            try:
                self._conclude(error)
            except StorageError as problem:  # the report cannot be written
                self._log_error(problem)  # and then what the run failed of
        if self._signal.number is not None and not isinstance(error, AbandonedError):
            self._log_error(error)
        self._exit_if_stopped()

    def _exit_if_stopped(self) -> None:
        """After a signal, end with one line that says what the run leaves to the next one."""
        if self._signal.number is not None:
            remainder = self.run.summary.remainder()
            self.logger.warning("Stopped by %s. %s", self._signal.name, remainder)
            sys.exit(128 + self._signal.number)

    def _log_error(self, error: Exception) -> None:
        """Say in one line what happened, how many rows are settled, and what to do."""
        self.logger.error("%s", error_text(error, self.progress))

    def _conclude(self, error: Exception | None) -> None:
        """Tell what became of the rows, write the report, and let go of everything."""
        self.run.close_progress()
        self.run.summary.tell(summary_level(self.logger))
        try:
            # After a fault of the network or of Dotdigital nobody wants to wait for a number.
            asks = self._signal.number is None and isinstance(error, (DataError, type(None)))
            self.run.write_report(self._outcome(error), asks=asks)
        finally:
            self.run.close()

    def _outcome(self, error: Exception | None) -> Outcome:
        reason = None
        if error is not None and not isinstance(error, AbandonedError):
            reason = error_text(error, self.progress).partition("\n")[0]
        return Outcome.of(reason, self._signal.name, has_failed=error is not None)

    @override
    def _handle_termination(self, signum: int, frame: FrameType | None) -> None:
        """Ask the run to end. The SDK's own handler would print STATE for rows in flight."""
        if not self._signal.receive(signum):
            return
        if self._run is None or self._run.is_connecting:
            sys.exit(128 + signum)  # nothing has been read or sent
        self._run.stop()
        exit_after(self._run.settings.shutdown_grace_seconds + LEAVE_MARGIN_SECONDS, signum)
