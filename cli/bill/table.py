"""The table of docs/costs.md: a month of three fleets."""

from collections.abc import Sequence

from cli.bill.usage import Scale, uses

SIZES = (100, 1_000, 10_000)


def markdown(pushes: int, sizes: Sequence[int] = SIZES) -> str:
    """A row a service, a column a size, in dollars a month."""
    bills = [_by_service(Scale(clusters=size, pushes=pushes)) for size in sizes]
    services = list(bills[0])
    rows = [[service, *(f"{bill[service]:,.2f}" for bill in bills)] for service in services]
    totals = ["**a month**", *(f"**{sum(bill.values()):,.2f}**" for bill in bills)]
    each = ["a cluster", *(f"{sum(bill.values()) / size:,.3f}" for size, bill in zip(sizes, bills, strict=True))]
    header = ["USD", *(f"{size:,} clusters" for size in sizes)]
    return "\n".join(_line(row) for row in [header, ["---"] * len(header), *rows, totals, each])


def _by_service(scale: Scale) -> dict[str, float]:
    found: dict[str, float] = {}
    for use in uses(scale):
        found[use.service] = found.get(use.service, 0.0) + use.dollars
    return found


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
