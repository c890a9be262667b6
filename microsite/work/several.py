"""The doctor's look at several machines: who runs, where limits are counted, what a destroyed day key is worth."""

from microsite.errors import StoreUnreadable
from microsite.services import Services

from . import machines
from .findings import Finding

DOUBTS = {
    "archived": ("its write-ahead log is archived", "archive_mode = off"),
    "replicated": ("it has a replica, a replication slot, or is a replica", "drop them"),
    "recycled": ("it keeps old files of its write-ahead log for new use", "wal_recycle = off"),
    "lingering": (
        "this role may not end a file of its write-ahead log",
        "GRANT pg_checkpoint TO its role; GRANT EXECUTE ON FUNCTION pg_switch_wal() TO its role",
    ),
    "logged": ("it writes statements with their values into its log", "log_parameter_max_length = 0"),
}
"""Why a destroyed key may live on, and what would end that."""
NOT_CLAIMED = "the privacy page does not claim then that keys are destroyed; to mend it, on the key server:"


def examine(services: Services) -> list[Finding]:
    """Every check that has to do with other machines; the day keys' only where they are in a database."""
    running = machines.running(services)
    return [*_running(services, running), *_limits(services, running), *_keys(services)]


def _running(services: Services, running: list[tuple[str, str]]) -> list[Finding]:
    if not running:
        return []
    kinds = [kind for kind, _ in running]
    names = ", ".join(f"{kind} on {machine}" for kind, machine in running)
    findings = [Finding("ok", f"running: {names}")]
    if "worker" not in kinds and "serve" not in kinds:
        what = "web processes run, and no worker: bookings wait to be confirmed"
        findings.append(Finding("wrong", what, "microsite worker"))
    return findings


def _limits(services: Services, running: list[tuple[str, str]]) -> list[Finding]:
    webs = [kind for kind, _ in running if kind in {"web", "serve"}]
    storage = services.config.limits_storage
    if storage.startswith("memory:"):
        if len(webs) < 2:
            return []
        what = f"{len(webs)} web processes count rate limits each for itself (limits.storage is memory://)"
        return [Finding("look", what, "let them count together: limits.storage = redis://… (Redis or Valkey)")]
    if not _answers(storage):
        what = "the shared memory of the rate limits does not answer; each web process counts for itself meanwhile"
        return [Finding("look", what, "is the server of limits.storage up?")]
    return [Finding("ok", "web processes count rate limits together")]


def _answers(storage: str) -> bool:
    from limits.storage import storage_from_string

    return bool(storage_from_string(storage, socket_connect_timeout=2, socket_timeout=2).check())


def _keys(services: Services) -> list[Finding]:
    if not services.config.keyring_url:
        return []
    try:
        doubts, shared = services.sealer.key_doubts(), machines.key_database_is_shared(services)
    except StoreUnreadable:
        what = "the key database does not answer: nobody can book, and letters wait"
        return [Finding("wrong", what, "check keyring.url and its server")]
    said = [DOUBTS[doubt] for doubt in doubts]
    findings = [Finding("look", f"the key database: {what}", f"{NOT_CLAIMED} {mend}") for what, mend in said]
    if shared:
        what = "the key database is on the same server as the bookings, and so in its log and its backups"
        findings.append(Finding("look", what, f"{NOT_CLAIMED} give the keys a small server of their own"))
    return findings or [Finding("ok", "day keys are in a database that keeps no copies this check can see")]
