"""Several statements to PostgreSQL in one round trip and one system call: libpq's pipeline mode.

https://www.postgresql.org/docs/current/libpq-pipeline-mode.html. The driver's own pipeline asks the socket
once for each statement, and ends with a word after which the server no longer watches an idle transaction.
"""

from __future__ import annotations

from collections.abc import Generator, MutableMapping, Sequence
from typing import Any

import psycopg
from psycopg.adapt import Transformer
from psycopg.errors import InvalidSqlStatementName, error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

Said = tuple[str, Sequence[str | None]]
"""A statement whose values are `$1`, `$2` …, and its values in PostgreSQL's own words."""
_PREPARED, _LAST = "swarm.prepared", "swarm.last_prepared"


def ask(
    raw: psycopg.Connection[Any],
    info: MutableMapping[Any, Any],
    said: Sequence[Said],
    *,
    commit: bool = False,
) -> list[Sequence[Any]]:
    """Execute them in order in the connection's transaction, begun here if need be; the rows of each.

    `info` lives as long as the connection. Raises `psycopg.Error` for the first that failed, after which none
    was executed.
    """
    # Where the driver prepares, it also makes the server forget, and not only what was its own.
    prepared: dict[str, bytes] = info.setdefault(_PREPARED, {}) if raw.prepare_threshold is None else {}
    conn = raw.pgconn
    conn.enter_pipeline_mode()
    asked: list[bool] = []
    if conn.transaction_status == TransactionStatus.IDLE and not raw.autocommit:
        conn.send_query_params(_begin(raw), None)
        asked.append(False)
    new: list[str] = []
    for words, values in said:
        given = [None if one is None else one.encode() for one in values]
        if raw.prepare_threshold is not None:
            conn.send_query_params(words.encode(), given)
        else:
            if words not in prepared:
                # Never a name twice: what was prepared in vain may be there all the same.
                info[_LAST] = info.get(_LAST, 0) + 1
                prepared[words] = b"swarm_%d" % info[_LAST]
                new.append(words)
                conn.send_prepare(prepared[words], words.encode())
                asked.append(False)
            conn.send_query_prepared(prepared[words], given)
        asked.append(True)
    if commit:
        # Not executed where anything before it failed.
        conn.send_query_params(b"COMMIT", None)
        asked.append(False)
    try:
        conn.pipeline_sync()
        results = raw.wait(_gathered(conn))
        conn.exit_pipeline_mode()
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(result, raw.info.encoding)
    except BaseException as failure:
        if isinstance(failure, InvalidSqlStatementName):
            prepared.clear()
        for words in new:
            prepared.pop(words, None)
        if conn.pipeline_status != PipelineStatus.OFF:
            # Answers may be on their way that nobody will read.
            raw.close()
        raise
    return [_rows(raw, result) for result, wanted in zip(results, asked, strict=True) if wanted]


def _gathered(conn: PGconn) -> Generator[Wait, Ready | int, list[PGresult]]:
    """What was answered, up to the end of the pipeline."""
    while conn.flush():
        if (yield Wait.RW) & Ready.R:
            conn.consume_input()
    results: list[PGresult] = []
    while True:
        while conn.is_busy():
            if (yield Wait.R):
                conn.consume_input()
        result = conn.get_result()
        # None stands between two statements.
        if result is not None:
            if result.status == ExecStatus.PIPELINE_SYNC:
                return results
            results.append(result)


def _begin(raw: psycopg.Connection[Any]) -> bytes:
    words = "BEGIN"
    if raw.isolation_level is not None:
        words += " ISOLATION LEVEL " + raw.isolation_level.name.replace("_", " ")
    if raw.read_only is not None:
        words += " READ ONLY" if raw.read_only else " READ WRITE"
    return words.encode()


def _rows(raw: psycopg.Connection[Any], result: PGresult) -> Sequence[Any]:
    if result.status != ExecStatus.TUPLES_OK or not result.ntuples:
        return ()
    reading = Transformer(raw)
    reading.set_pgresult(result)
    return reading.load_rows(0, result.ntuples, tuple)
