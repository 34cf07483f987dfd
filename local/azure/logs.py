"""Azure Monitor's Logs Ingestion API: rows for a custom table, kept for whoever asks what was sent.

https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
"""

from aiohttp import web

from local.azure.answers import AzureError, read_json, require_api_version
from local.azure.gate import MONITOR_AUDIENCES, Gate
from local.azure.journal import Journal

MAX_BYTES = 1024 * 1024  # of a call, before and after decompression
CHANNEL = "logs"


class LogsIngestion:
    def __init__(self, gate: Gate, journal: Journal) -> None:
        self._gate = gate
        self._journal = journal

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/{rules:(?i:dataCollectionRules)}/{rule}/{streams:(?i:streams)}/{stream}", self.handle)]

    async def handle(self, request: web.Request) -> web.Response:
        """The server has undone gzip by the time the body is read."""
        self._gate.admit(request, MONITOR_AUDIENCES)
        require_api_version(request)
        if len(await request.read()) > MAX_BYTES:
            raise AzureError(413, "ContentLengthLimitExceeded", f"Maximum allowed content length is {MAX_BYTES} bytes.")
        rows = await read_json(request)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise AzureError(400, "InvalidPayload", "The payload must be a JSON array of objects.")
        rule, stream = request.match_info["rule"], request.match_info["stream"]
        if not stream.startswith("Custom-"):
            raise AzureError(400, "InvalidStream", f"The stream {stream} was not found in the data collection rule.")
        for row in rows:
            self._journal.keep(CHANNEL, rule=rule, stream=stream, body=row)
        return web.Response(status=204)
