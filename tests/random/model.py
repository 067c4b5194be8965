"""Predict a run from the contract: its possible exit codes, its files and their contents."""

from __future__ import annotations

from nostra_cli.sandbox.state import Result
from tests.random.scenario import FAILED, FORMATS, Job, Run, Trouble, body

_FAILED = {status.lower() for status in FAILED}
_BUDGET = 12
"""Failed requests in one run up to which each is certainly retried."""


def allowed(run: Run) -> set[int]:
    """Return the exit codes that the contract allows."""
    if run.command == "status":
        codes = _of_status(run)
    elif run.command == "wait":
        codes = _of_wait(run)
    else:
        codes = _of_download(run)
    if _strained(run):
        codes |= {6, 7}
    if run.signal is not None:
        codes |= {128 + run.signal}
    return codes


def _strained(run: Run) -> bool:
    """Return whether temporary faults alone may use up the retry budget."""
    troubles = [t for job in run.jobs for t in (job.status_trouble, job.body_trouble) if t]
    bodies = len(FORMATS) * 3 if run.has("--all-results", "all") else 1
    spent = sum(trouble.retries for trouble in troubles) * (bodies if len(troubles) > 1 else 1)
    return spent > _BUDGET


def _first(codes: list[set[int]]) -> set[int]:
    """Return the possible codes of the first failure, given those of each item."""
    found: set[int] = set()
    for each in codes:
        found |= each - {0}
        if 0 not in each:
            return found
    return found | {0}


def _asked(trouble: Trouble | None) -> set[int]:
    return set(trouble.codes) if trouble and trouble.codes else {0}


def _of_status(run: Run) -> set[int]:
    codes = []
    for job in run.jobs:
        code = _asked(job.status_trouble)
        if code == {4, 7}:  # readable, though it names no results in the right form
            code = {0, 7}
        if code == {0} and not job.statuses:
            code = {4}
        if 0 in code and run.has("--exit-status"):
            code = code - {0} | _once(job)
        codes.append(code)
    if any(3 in code for code in codes):
        return set().union(*codes) - {0}
    return _first(codes)


def _outcome(status: str) -> int:
    if status.lower() in _FAILED:
        return 5
    return 0 if status == "completed" else 9


def _waited(job: Job) -> set[int]:
    """Return the possible codes of the wait for one id; 9 if it never ends."""
    code = _asked(job.status_trouble)
    if code == {4, 7}:
        code = {0, 7} if job.statuses else {4, 7}
    if code != {0}:
        return code
    return {4} if not job.statuses else {_outcome(job.last)}


def _of_wait(run: Run) -> set[int]:
    ends = [_waited(job) for job in run.jobs]
    union = set().union(*ends)
    if 3 in union and not run.has("--any", "--fail-fast"):
        return (union - {0, 9}) | ({124} if 9 in union or run.has("--timeout") else set())
    failures = union - {0, 9}
    codes = set(failures)
    if 9 in union or run.has("--timeout"):
        codes.add(124)  # what is repeated for long may also be cut short
    if run.has("--any") or all(0 in end for end in ends):
        codes |= {0} & union
    if run.has("--fail-fast") and not failures:
        codes |= {0} & union
    if 9 in union and not run.has("--any"):
        codes.discard(0)
    return codes


def items(run: Run, job: Job) -> list[tuple[Result, str]]:
    """Return the results and formats that a run downloads of a completed invocation."""
    chosen = [r for r in job.results if r.primary or run.has("--all-results")]
    formats = ["json"]
    if "-f" in run.options:
        given = run.options[run.options.index("-f") + 1]
        formats = list(FORMATS) if given == "all" else [given]
    ordered = sorted(chosen, key=lambda result: (not result.primary, result.id))
    return [(result, format_) for result in ordered for format_ in formats]


def name_of(job: Job, result: Result, format_: str) -> str:
    """Return the name of a file."""
    stem = job.id if result.primary else f"{job.id}-{result.id}"
    return f"{in_a_name(stem)}.{format_}"


def in_a_name(text: str) -> str:
    """Encode the characters of these ids that are not safe in a file name."""
    return text.replace("%", "%25").replace(" ", "%20")


def _downloaded(run: Run, job: Job) -> list[set[int]]:
    ready = _waited(job) if run.has("--wait") else _once(job)
    if 0 not in ready:
        early = (
            run.old and not run.has("--overwrite", "--skip-existing", "-o") and len(run.jobs) == 1
        )
        return [ready | {8} if early else ready]
    codes = [ready] if ready != {0} else []
    for result, format_ in items(run, job):
        code = _asked(job.body_trouble)
        if name_of(job, result, format_) in run.old and not run.has("--overwrite", "-d", "-o"):
            code = {0} if run.has("--skip-existing") else {8}
        if run.has("-o") and job.body_trouble and job.body_trouble.retries:
            code = code | {7}  # what went to stdout cannot be taken back
        codes.append(code)
    return codes


def _once(job: Job) -> set[int]:
    """Return the possible codes of one status request; a retry may see a later status."""
    code = _asked(job.status_trouble)
    if code not in ({0}, {0, 7}):
        return code
    if not job.statuses:
        return {4}
    seen = 1 + (job.status_trouble.retries if job.status_trouble else 0)
    return {_outcome(status) for status in job.statuses[:seen]}


def _of_download(run: Run) -> set[int]:
    each = [codes for job in run.jobs for codes in _downloaded(run, job)]
    union = set().union(*each)
    if run.has("--wait"):
        late = {124} if 9 in union or run.has("--timeout") else set()
        done = {0} if all(0 in codes for codes in each) else set()
        return (union - {0, 9}) | late | done
    if 3 in union:
        return union - {0}
    return _first(each)


def candidates(job: Job, result: Result, format_: str) -> set[bytes]:
    """Return the complete bodies that the server may send."""
    plain = body(job, result, format_)
    trouble = job.body_trouble
    if not (trouble and trouble.fault.changing):
        return {plain}
    digits = b"123456789"
    tables = [bytes.maketrans(digits, digits[n:] + digits[:n]) for n in range(len(digits))]
    return {plain.translate(table) for table in tables}
