"""What can end a run, each saying what to do.

Texts hold counts, names, codes and import IDs, never a record's value and never a credential:
they are printed as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FIX_THE_SETTINGS: Final = "fix the settings"
FIX_THE_DATA: Final = "fix the data"
ASK_DOTDIGITAL: Final = "ask Dotdigital support"
CHECK_THE_NETWORK: Final = "check the network"
CHECK_THE_DISK: Final = "check the disk"
CHECK_THE_PIPE: Final = "check the pipe"
REPORT_THE_BUG: Final = "report the bug"
"""What there is to do: each message that ends a run closes with one of these."""


def sentence(text: str) -> str:
    """Return a text with a full stop, unless it ends as a sentence already.

    Args:
        text: One or more sentences, of which the last may lack its full stop.
    """
    return text if text.endswith((".", "?", "!")) else f"{text}."


def joined(problems: Iterable[str]) -> str:
    """Return problems as one text, a sentence each.

    Args:
        problems: What is wrong, at least one text.
    """
    return " ".join(map(sentence, problems))


class TargetDotdigitalError(Exception):
    """A reason to end the run that the operator can read in one line."""

    act: ClassVar[str] = REPORT_THE_BUG

    def __init__(self, message: str) -> None:
        """Keep the message and add what to do.

        Args:
            message: What happened, without record values and credentials.
        """
        super().__init__(f"{sentence(message)} [to act: {self.act}]")
        self.message = message

    def line(self, progress: str) -> str:
        """Return the one line that ends a run: what happened, what is settled, what to do.

        Args:
            progress: How many rows are settled, as a sentence.
        """
        return f"{sentence(self.message)} {progress} [to act: {self.act}]"


class SettingsError(TargetDotdigitalError):
    """The settings do not fit the account or the stream."""

    act = FIX_THE_SETTINGS


class DataError(TargetDotdigitalError):
    """The tap's output cannot be used, or too much of it is refused."""

    act = FIX_THE_DATA


class LackingError(DataError):
    """A message lacks a part. The reader adds which message it is, and its line."""


class DotdigitalError(TargetDotdigitalError):
    """Dotdigital refuses or cannot do what is documented."""

    act = ASK_DOTDIGITAL


class NetworkError(TargetDotdigitalError):
    """Dotdigital or a storage cannot be reached, or what answers is not Dotdigital."""

    act = CHECK_THE_NETWORK


class StorageError(TargetDotdigitalError):
    """A local file cannot be written or read."""

    act = CHECK_THE_DISK


class OutputError(StorageError):
    """The standard output cannot be written, which is where STATE goes."""

    act = CHECK_THE_PIPE


class AuthenticationError(SettingsError):
    """401: the API user is not known, or its password is wrong."""


class ForbiddenError(SettingsError):
    """403: the account lives in another region, or the API user may not do this."""


class NotFoundError(DotdigitalError):
    """404: what the call asked for does not exist."""

    def __init__(self, message: str, code: str | None = None) -> None:
        """Keep Dotdigital's code, if it was Dotdigital that answered.

        Args:
            message: What happened.
            code: Dotdigital's error code; None if the answer tells none.
        """
        super().__init__(message)
        self.code = code


class NotOfferedError(DotdigitalError):
    """405: Dotdigital has no such call."""


class TooManyActiveJobsError(DotdigitalError):
    """429 `contacts:tooManyActiveImports` and its like: a job has to end before one is taken."""


class RequestTooLargeError(DotdigitalError):
    """413: the request's body is larger than Dotdigital takes."""


class RequestRefusedError(DotdigitalError):
    """400: the request as a whole is refused, and would be again."""

    def __init__(self, message: str, code: str) -> None:
        """Keep Dotdigital's code.

        Args:
            message: What happened.
            code: Dotdigital's error code without its service, such as `badRequest`.
        """
        super().__init__(message)
        self.code = code


class AbandonedError(TargetDotdigitalError):
    """The run is over: threads that still wait or call must stop. Never shown."""


class RowRejectedError(Exception):
    """One row cannot become a contact. It is counted and reported, and the run goes on."""

    def __init__(
        self,
        code: str,
        reason: str,
        *,
        property: str | None = None,  # noqa: A002 - Singer's own word
        rule: str | None = None,
    ) -> None:
        """Keep the reject's code and its reason.

        Args:
            code: One of the codes of the rejects file, such as `field.type`.
            reason: A sentence that names properties and rules, never values.
            property: The property that is at fault, as the schema or the settings name it; None
                if it is the whole record, or not known.
            rule: What it breaks: a rule of the schema, a data field's type, or the kind of error
                that an expression ends with.
        """
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.property = property
        self.rule = rule


class UnfitError(Exception):
    """A value of a row does not fit; the text says what would, and repeats nothing of it."""
