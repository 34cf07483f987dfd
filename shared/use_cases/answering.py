"""What answers when people ask, and when Azure Monitor is told."""

from typing import TYPE_CHECKING

from shared.adapters import Adapters

if TYPE_CHECKING:
    from shared.services.bury import Replay
    from shared.services.export_logs import ExportLogs
    from shared.services.health import Readiness
    from shared.services.history import History
    from shared.services.report import Report
    from shared.services.report_clusters import ReportClusters
    from shared.services.report_deliveries import ReportDeliveries
    from shared.services.report_fleet import ReportFleet


class Answering(Adapters):
    """Use cases are made anew with the configuration in force."""

    def report(self) -> "Report":
        from shared.services.report import Report

        return Report(self.rollouts, self.clock)

    def history(self) -> "History":
        from shared.services.history import History

        return History(self.fleet_pages, self.audit)

    def report_deliveries(self) -> "ReportDeliveries":
        from shared.services.report_deliveries import ReportDeliveries

        return ReportDeliveries(self.deliveries)

    def report_fleet(self) -> "ReportFleet":
        from shared.services.report_fleet import ReportFleet

        return ReportFleet(self.fleet_pages)

    def report_clusters(self) -> "ReportClusters":
        from shared.services.report_clusters import ReportClusters

        return ReportClusters(self.onboardings)

    def export_logs(self) -> "ExportLogs | None":
        """None where the settings name no place for rows."""
        if not self.settings.logs_ingestion_endpoint:
            return None
        from shared.azure.cosmos.log_streams import CosmosLogStreams
        from shared.services.export_logs import ExportLogs

        return ExportLogs(CosmosLogStreams(self.database, self.sealer), self.log_rows, self.clock)

    def replay(self) -> "Replay":
        from shared.services.bury import Replay

        return Replay(self.audit, self.queue)

    def readiness(self) -> "Readiness":
        from shared.services.health import Readiness

        return Readiness(
            {
                "configuration": self.config,
                "database": self.database,
                "queues": self.queue,
                "fleet": self.fleet,
                "keys": self.key_encryption_key,
            }
        )
