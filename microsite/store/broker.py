"""The rows of the procrastinate engine that its own library has no question for: merging, counting, rescuing.

Its tables, their functions and the moves from waiting to running to done are the library's; `jobs.procrastinate` asks
it for those. A job's lock and queueing lock are both its name: kind and key.
"""

from collections.abc import Collection
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import text

_PULL = """
UPDATE procrastinate_jobs
   SET args = args || '{"attempts": 0}',
       scheduled_at = CASE WHEN scheduled_at IS NULL OR CAST(:at AS bigint) IS NULL THEN NULL
                           ELSE least(scheduled_at, to_timestamp(:at)) END
 WHERE queueing_lock = :name AND status = 'todo'
RETURNING id"""

# The library's own notice comes with a new row only.
_NOTIFY = """
SELECT pg_notify('procrastinate_queue_v1#' || :queue, json_build_object('type', 'job_inserted', 'job_id', :id)::text)"""

_LIVES = """
INSERT INTO procrastinate_workers (id, last_heartbeat) OVERRIDING SYSTEM VALUE VALUES (:worker, now())
    ON CONFLICT (id) DO UPDATE SET last_heartbeat = now()"""

_STILL_ITS_OWN = """
UPDATE procrastinate_jobs SET worker_id = :worker
 WHERE id = ANY(:running) AND status = 'doing' AND worker_id IS NULL"""

_STALLED = """
SELECT id, queueing_lock FROM procrastinate_jobs
 WHERE status = 'doing' AND (worker_id IS NULL OR id = ANY(:lost)) AND id <> ALL(:but)
   FOR UPDATE SKIP LOCKED"""

_AGAIN = """
UPDATE procrastinate_jobs
   SET status = 'todo', scheduled_at = NULL, worker_id = NULL,
       args = args || jsonb_build_object('attempts', coalesce((args->>'attempts')::int, 0) + 1)
 WHERE id = :id AND NOT EXISTS (
       SELECT 1 FROM procrastinate_jobs asked WHERE asked.queueing_lock = :name AND asked.status = 'todo')"""

_GIVE_UP = """
UPDATE procrastinate_jobs job SET args = args || jsonb_build_object('trouble', CAST(:trouble AS text))
 WHERE id = :id AND NOT EXISTS (
       SELECT 1 FROM procrastinate_jobs asked
        WHERE asked.queueing_lock = job.queueing_lock AND asked.status = 'todo')"""

_DUE = """
SELECT count(*), coalesce(floor(extract(epoch FROM min(coalesce(job.scheduled_at, asked.at)))), 0)
  FROM procrastinate_jobs job
  LEFT JOIN procrastinate_events asked ON asked.job_id = job.id AND asked.type = 'deferred'
 WHERE job.status = 'todo' AND (job.scheduled_at IS NULL OR job.scheduled_at <= now())"""

_FAILING = """
SELECT count(*) FROM procrastinate_jobs
 WHERE status <> 'succeeded' AND args->>'kind' = :kind AND coalesce((args->>'attempts')::int, 0) >= :attempts"""


class Broker:
    """Answers and moves inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def pull_forward(self, queue: str, name: str, at: int | None) -> bool:
        """Let the job of that name run no later than `at` (None: at once); False where none waits.

        Even where nothing moves, its row is locked: it cannot run before the caller's transaction is committed.
        """
        found = self._conn.scalar(text(_PULL), {"name": name, "at": at})
        if found is None:
            return False
        if at is None:
            self._conn.execute(text(_NOTIFY), {"queue": queue, "id": found})
        return True

    def forget_given_up(self, name: str) -> None:
        """It was asked for again: what failed before no longer counts."""
        self._conn.execute(
            text("DELETE FROM procrastinate_jobs WHERE queueing_lock = :name AND status = 'failed'"), {"name": name}
        )

    def give_up(self, job_id: int, trouble: str) -> bool:
        """Note the type of the error that a running job is given up for; False where it was asked for anew meanwhile.

        That one gets its own chance, so the failed one need not be kept.
        """
        return self._conn.execute(text(_GIVE_UP), {"id": job_id, "trouble": trouble}).rowcount == 1

    def known(self, name: str) -> bool:
        """Whether there is such a job: waiting, running, or given up."""
        asked = (
            "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :name AND status = 'todo' UNION ALL "
            "SELECT 1 FROM procrastinate_jobs WHERE lock = :name AND status = 'doing' UNION ALL "
            "SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :name AND status = 'failed' LIMIT 1"
        )
        return self._conn.execute(text(asked), {"name": name}).first() is not None

    def counts(self) -> tuple[int, int]:
        """(jobs that wait or run, jobs given up)."""
        row = self._conn.execute(
            text(
                "SELECT count(*) FILTER (WHERE status IN ('todo', 'doing')), count(*) FILTER (WHERE status = 'failed')"
                " FROM procrastinate_jobs"
            )
        ).one()
        return int(row[0]), int(row[1])

    def due(self) -> tuple[int, int]:
        """(jobs that nobody took though their time has come, since when the oldest of them waits; 0 for none)."""
        number, oldest = self._conn.execute(text(_DUE)).one()
        return int(number), int(oldest)

    def failing(self, kind: str, attempts: int) -> int:
        """How many jobs of a kind failed so often or more."""
        found = self._conn.scalar(text(_FAILING), {"kind": kind, "attempts": attempts})
        return int(found or 0)

    def given_up(self) -> list[tuple[str, str, str]]:
        """(kind, key, type of the last error) of the jobs that were given up."""
        rows = self._conn.execute(
            text("SELECT args FROM procrastinate_jobs WHERE status = 'failed' ORDER BY queueing_lock")
        )
        return [(args["kind"], args["key"], args.get("trouble", "")) for args in rows.scalars()]

    def clear(self, keep: Collection[str]) -> int:
        """Forget every job but those of some kinds that wait; answers how many."""
        gone = text("DELETE FROM procrastinate_jobs WHERE status <> 'todo' OR NOT (args->>'kind' = ANY(:keep))")
        return self._conn.execute(gone, {"keep": list(keep)}).rowcount

    def beat(self, worker: int, running: Collection[int]) -> None:
        """A worker lives, whoever took it for dead; of what it runs it keeps what nobody else has taken up."""
        self._conn.execute(text(_LIVES), {"worker": worker})
        self._conn.execute(text(_STILL_ITS_OWN), {"worker": worker, "running": list(running)})

    def prune(self, silent: float) -> None:
        """Forget workers that gave no sign of life for that many seconds; their jobs are then nobody's."""
        self._conn.execute(text("SELECT * FROM procrastinate_prune_stalled_workers_v1(:silent)"), {"silent": silent})

    def held(self, worker: int) -> frozenset[int]:
        """The jobs that a worker holds."""
        rows = self._conn.scalars(
            text("SELECT id FROM procrastinate_jobs WHERE worker_id = :worker AND status = 'doing'"), {"worker": worker}
        )
        return frozenset(rows)

    def end(self, done: Sequence[int]) -> None:
        """Forget jobs that are done, and are still there as running."""
        if done:
            ended = "DELETE FROM procrastinate_jobs WHERE id = ANY(:done) AND status = 'doing'"
            self._conn.execute(text(ended), {"done": list(done)})

    def rescue(self, lost: frozenset[int], but: frozenset[int] = frozenset()) -> int:
        """Let jobs that nobody works on run again, `but` some; answers how many. `lost` are known to be such."""
        rows = self._conn.execute(text(_STALLED), {"lost": sorted(lost), "but": sorted(but)}).all()
        for job_id, name in rows:
            with self._conn.begin_nested():
                again: Any = self._conn.execute(text(_AGAIN), {"id": job_id, "name": name})
                if again.rowcount == 0:
                    # Asked for anew meanwhile: that run is the one that counts.
                    self._conn.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job_id})
        return len(rows)
