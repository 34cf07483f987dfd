"""The workspace's tables in DuckDB, so that queries of the workbook and of alert rules run on rows that the code makes."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import duckdb
import duckdb_kql
from bicep import variable

_TYPES = {"string": "VARCHAR", "datetime": "TIMESTAMP", "int": "INTEGER", "boolean": "BOOLEAN", "dynamic": "JSON", "real": "DOUBLE"}
#: What queries use of tables that are Azure Monitor's (learn.microsoft.com, Azure Monitor Logs tables).
_TELEMETRY = {
    "AppRequests": {"TimeGenerated": "datetime", "Name": "string", "Success": "boolean", "DurationMs": "real"},
    "AppTraces": {"TimeGenerated": "datetime", "Message": "string"},
    "AppMetrics": {"TimeGenerated": "datetime", "Name": "string", "Sum": "real", "Properties": "dynamic"},
    "StorageBlobLogs": {"TimeGenerated": "datetime", "Category": "string", "StatusText": "string", "Uri": "string"},
}


class Workspace:
    """Empty at first."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        ours = {
            name: {each["name"]: each["type"] for each in columns} for name, columns in variable("modules/logs.bicep", "columns").items()
        }
        self._tables = ours | _TELEMETRY
        self._connection = duckdb.connect()
        for table, columns in self._tables.items():
            self._connection.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {_TYPES[type_]}' for name, type_ in columns.items())})")

    def take(self, table: str, rows: Iterable[Mapping[str, object]]) -> None:
        for row in rows:
            values = [_stored(value, self._tables[table][name]) for name, value in row.items()]
            places = ", ".join("?" * len(values))
            self._connection.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({places})", values)  # noqa: S608 -- our own names

    def ask(self, query: str) -> list[dict[str, Any]]:
        schema = {table: list(columns) for table, columns in self._tables.items()}
        sql = duckdb_kql.to_sql(query, schema=schema, allow_write=False, query_now=self._now)
        found = self._connection.execute(str(sql), dict(sql.parameters))
        names = [name for name, *_ in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _stored(value: object, type_: str) -> object:
    """Times in UTC without saying so: DuckDB needs an extension, which is not installed, to know of zones."""
    if type_ == "datetime":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment.astimezone(UTC).replace(tzinfo=None)
    return json.dumps(value) if type_ == "dynamic" else value
