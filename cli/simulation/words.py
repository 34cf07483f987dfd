"""Times as people say them."""


def duration(seconds: float) -> str:
    """At most two units: 90 s is "1 min 30 s", a day and two minutes is "1 d"."""
    left = round(seconds)
    if left < 60:
        return f"{left} s"
    units = [(left // 86_400, "d"), (left // 3600 % 24, "h"), (left // 60 % 60, "min"), (left % 60, "s")]
    first = next(index for index, (count, _) in enumerate(units) if count)
    return " ".join(f"{count} {unit}" for count, unit in units[first : first + 2] if count)
