"""What can end a run, each saying who must act.

Texts hold counts, names, codes and import IDs, never a record's value and never a credential:
they are printed as they are.
"""

from __future__ import annotations

from typing import ClassVar


class TargetDotdigitalError(Exception):
    """A reason to end the run that the operator can read in one line."""

    act: ClassVar[str] = "the developers of target-dotdigital"

    def __init__(self, message: str) -> None:
        """Keep the message and add who must act.

        Args:
            message: What happened, without record values and credentials.
        """
        super().__init__(f"{message} [to act: {self.act}]")
        self.message = message

    def line(self, progress: str) -> str:
        """Return the one line that ends a run: what happened, what is settled, who must act.

        Args:
            progress: How many rows are settled.
        """
        return f"{self.message}; {progress} [to act: {self.act}]"


class SettingsError(TargetDotdigitalError):
    """The settings do not fit the account or the stream."""

    act = "whoever keeps the settings"


class DataError(TargetDotdigitalError):
    """The tap's output cannot be used, or too much of it is refused."""

    act = "the owner of the data or of the tap"


class LackingError(DataError):
    """A message lacks a part. Which message that is, is told where its line is known."""


class DotdigitalError(TargetDotdigitalError):
    """Dotdigital refuses or cannot do what is documented."""

    act = "Dotdigital's support"


class NetworkError(TargetDotdigitalError):
    """Dotdigital cannot be reached, or what answers is not Dotdigital."""

    act = "whoever runs the network"


class StorageError(TargetDotdigitalError):
    """A local file or the standard output cannot be written."""

    act = "whoever runs this machine"


class AuthenticationError(SettingsError):
    """401: the API user is not known, or its password is wrong."""


class ForbiddenError(SettingsError):
    """403: the account lives in another region, or the API user may not do this."""


class NotFoundError(DotdigitalError):
    """404: the thing that was asked for does not exist."""

    def __init__(self, message: str, code: str | None = None) -> None:
        """Keep Dotdigital's code, if it was Dotdigital that answered.

        Args:
            message: What happened.
            code: Dotdigital's error code; None if the answer tells none.
        """
        super().__init__(message)
        self.code = code


class NotOfferedError(DotdigitalError):
    """405: there is no such call."""


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
    """The run is over, and whoever still waits or calls is to stop. Never shown."""


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
