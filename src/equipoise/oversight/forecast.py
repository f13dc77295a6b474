"""How enrolment stands against its plan, and when the target is likely to be reached. Pure: days and counts only.

The plan is even: the target over the months of recruitment, counted from the first site's opening. The forecast is a
Poisson process whose rate has a Gamma prior worth one month of the plan; what was enrolled in the time that was open
updates it, and the time until k more are enrolled is a scaled beta-prime. Source: Anisimov VV, Fedorov VV, Modelling,
prediction and adaptive adjustment of recruitment in multicentre trials, Stat Med 2007;26:4958-75 (there by site; here
for the trial as a whole, because sites that have enrolled nobody yet say little one by one).
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

MONTH_DAYS = 365.25 / 12
CENTRAL = 0.8
"""The share of the forecast's probability between its early and its late day."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`target` participants over `months`, from the day on which the first site opened."""

    target: int
    months: int
    opened: dt.date

    def expected(self, on: dt.date) -> float:
        """How many the plan has by a day."""
        open_days = max((on - self.opened).days, 0)
        return min(self.target * open_days / (self.months * MONTH_DAYS), float(self.target))

    @property
    def ends(self) -> dt.date:
        """The day on which the plan reaches the target."""
        return self.opened + dt.timedelta(days=math.ceil(self.months * MONTH_DAYS))


@dataclass(frozen=True, slots=True)
class Forecast:
    """When the target is reached: with probability 10 % by `early`, 50 % by `likely`, 90 % by `late`."""

    early: dt.date
    likely: dt.date
    late: dt.date
    rate_month: float
    """Participants a month, the mean of what is believed now."""


def forecast(plan: Plan, randomized: int, today: dt.date) -> Forecast | None:
    """What is to be expected from today on; None when the target is reached, or before the first site is open."""
    missing, open_days = plan.target - randomized, (today - plan.opened).days
    if missing <= 0 or open_days < 0:
        return None
    shape = plan.target / plan.months + randomized
    days = MONTH_DAYS + open_days
    tail = (1 - CENTRAL) / 2
    early, likely, late = (waiting_days(missing, shape, days, share) for share in (tail, 0.5, 1 - tail))
    return Forecast(
        _after(today, early), _after(today, likely), _after(today, late), shape / days * MONTH_DAYS
    )


def waiting_days(missing: int, shape: float, days: float, share: float) -> float:
    """Days within which `missing` more come with probability `share`, for a rate a day that is Gamma(shape, days)."""
    from scipy.stats import betaprime  # asked late: only this page needs it, and it takes a second to load

    return days * float(betaprime.ppf(share, missing, shape))


def _after(day: dt.date, days: float) -> dt.date:
    """A day some days on; a hundred years at most, where next to nobody comes."""
    return day + dt.timedelta(days=min(math.ceil(days), 36525))
