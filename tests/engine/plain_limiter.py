"""When a limiter acts, reckoned second by second in the plainest way, to check the engine by."""

from collections.abc import Sequence

PlainTier = tuple[float, int, tuple[int, ...]]
"""Above so many W; for so many seconds; the lengths in seconds of the averages that are looked at."""


def italy(contracted_w: float) -> list[PlainTier]:
    return [(contracted_w * 1.10, 10_800, (120, 5400, 5400)), (contracted_w * 1.33, 120, (120,))]


class PlainLimiter:
    """Goes through one second after another."""

    def __init__(self, tiers: Sequence[PlainTier]) -> None:
        self.tiers = tiers
        self.runs = [0] * len(tiers)
        self.averages: list[tuple[int, list[float]] | None] = [None] * len(tiers)

    def second(self, power_w: float) -> list[int]:
        """Take in one second; return the tiers for which the limiter acts at its end."""
        acting = set()
        for number, (above_w, limit_s, lengths_s) in enumerate(self.tiers):
            self.runs[number] = self.runs[number] + 1 if power_w > above_w else 0
            if self.runs[number] >= limit_s:
                acting.add(number)
            average = self.averages[number]
            if average is None and power_w > above_w and lengths_s:
                average = (0, [])
            if average is not None:
                place, seconds = average
                seconds.append(max(power_w, 0))
                if len(seconds) == lengths_s[place]:
                    passes = sum(seconds) / len(seconds) > above_w
                    last = place == len(lengths_s) - 1
                    if passes and last:
                        acting.add(number)
                    average = (place + 1, []) if passes and not last else None
            self.averages[number] = average
        if acting:
            self.runs = [0] * len(self.tiers)
            self.averages = [None] * len(self.tiers)
        return sorted(acting)

    def copy(self) -> "PlainLimiter":
        other = PlainLimiter(self.tiers)
        other.runs = list(self.runs)
        other.averages = [None if each is None else (each[0], list(each[1])) for each in self.averages]
        return other

    def seconds_left(self, power_w: float, most_s: int) -> int | None:
        """Return after how many seconds it acts if the power stays, None if not within `most_s`."""
        other = self.copy()
        return next((second for second in range(1, most_s + 1) if other.second(power_w)), None)
