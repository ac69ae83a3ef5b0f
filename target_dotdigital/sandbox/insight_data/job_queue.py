"""The queue of the jobs about insight data, worked off beside the calls that are answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from target_dotdigital.sandbox.clock import timestamp
from target_dotdigital.sandbox.insight_data import job_log
from target_dotdigital.sandbox.insight_data.collections import (
    delete_collection,
    find_collection,
    get_collection,
    open_collection,
)
from target_dotdigital.sandbox.insight_data.import_body import (
    check_import,
    read_import,
    read_record,
)
from target_dotdigital.sandbox.insight_data.parts import Outcome, import_part
from target_dotdigital.sandbox.insight_data.record_json import encode_json
from target_dotdigital.sandbox.insight_data.records import NO_CONTACT, delete_first_records
from target_dotdigital.sandbox.jobs import JobQueue

if TYPE_CHECKING:
    from target_dotdigital.sandbox.insight_data.collections import Scope
    from target_dotdigital.sandbox.insight_data.job_log import Job, Kind
    from target_dotdigital.sandbox.storage import Store

PART_RECORDS = 1_000
"""Records that are written in one transaction. It bounds how long others wait for the database."""


class InsightJobs:
    """Works off jobs one after the other, in the order in which they were accepted."""

    def __init__(self, store: Store, *, working: bool = True) -> None:
        """Start, first of all with the jobs that an earlier run left.

        Args:
            store: The database.
            working: Otherwise jobs wait on disk.
        """
        self._store = store
        threads = 1 if working else 0
        self._jobs = JobQueue("insight-job", self._work, self._fail, threads)
        with store.reading() as connection:
            unfinished = job_log.unfinished_jobs(connection)
        self._jobs.start(unfinished)

    def accept_import(self, body: bytes) -> str:
        """Put an import on disk and in the queue.

        Returns:
            Its ID.

        Raises:
            RefusalError: 400, the request is not as it should be, or the collection has another
                scope; 412, there are too many collections; 429, too many imports are active.
        """
        sent = check_import(body)
        with self._store.writing() as connection:
            collection = open_collection(connection, sent.collection_name, sent.scope, sent.type)
            import_id, sequence = job_log.accept_import(connection, collection.name, body)
        self._jobs.put(sequence)
        return import_id

    def accept_removal(
        self,
        kind: Kind,
        collection_name: str,
        scope: Scope | None = None,
        contact_id: int = NO_CONTACT,
    ) -> str:
        """Put the removal of all records of a collection on disk and in the queue.

        Args:
            kind: Whether the collection goes too.
            collection_name: Which one.
            scope: One of another scope does not count.
            contact_id: Whose records alone are removed.

        Returns:
            Its ID.

        Raises:
            RefusalError: 400, this is no name of a collection; 404, there is none.
        """
        with self._store.writing() as connection:
            name = get_collection(connection, collection_name, scope).name
            job_id, sequence = job_log.accept_removal(connection, kind, name, contact_id)
        self._jobs.put(sequence)
        return job_id

    def stop(self) -> None:
        """Stop after the part that is being written; what is left waits on disk."""
        self._jobs.stop()

    def _work(self, sequence: int) -> None:
        with self._store.writing(synchronous=False) as connection:
            job = job_log.begin(connection, sequence)
        if job is None:
            return
        if job.kind == "import":
            self._import(job)
        else:
            self._remove(job)

    def _import(self, job: Job) -> None:
        """Import all records, from the first one on: after a restart, those written before too.

        They are the same again, and what became of them is known only once all of them are done.
        """
        body = read_import(job.body)
        outcome = Outcome()
        for position in range(0, len(body.records), PART_RECORDS):
            if self._jobs.stopping.is_set():
                return
            part = [read_record(raw) for raw in body.records[position : position + PART_RECORDS]]
            with self._store.writing(synchronous=False) as connection:
                if not job_log.is_there(connection, job.sequence):
                    return
                # It may have been deleted since the import was accepted.
                collection = open_collection(
                    connection, body.collection_name, body.scope, body.type
                )
                import_part(connection, collection, part, outcome)
                if position + len(part) == len(body.records):
                    failures = b",".join(map(encode_json, outcome.failures))
                    job_log.record_outcome(
                        connection,
                        job.sequence,
                        len(body.records),
                        len(outcome.written),
                        failures,
                    )
                    job_log.finish(connection, job.sequence, timestamp())

    def _remove(self, job: Job) -> None:
        more = True
        while more:
            if self._jobs.stopping.is_set():
                return
            with self._store.writing(synchronous=False) as connection:
                collection = find_collection(connection, job.collection_name)
                removed = 0
                if collection is not None:
                    removed = delete_first_records(
                        connection, collection, job.contact_id, PART_RECORDS
                    )
                more = removed == PART_RECORDS
                job_log.count_removed(connection, job.sequence, removed)
                if not more:
                    if collection is not None and job.kind == "delete":
                        delete_collection(connection, collection)
                    job_log.finish(connection, job.sequence, timestamp())

    def _fail(self, sequence: int) -> None:
        with self._store.writing() as connection:
            job_log.finish(connection, sequence, timestamp(), status=job_log.FAILED)
