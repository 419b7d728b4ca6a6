"""A hard limit in dollars and in calls, over all that the ledger of a language records.

Before a request is sent, the most that it can cost is set aside: a token for every byte of the
request and every token that its answer may have. What is not used comes back with the answer, so
the limit holds whatever the teacher writes.
"""

import asyncio
from collections.abc import Callable

from generation.errors import BudgetError


class SpendingLimit:
    """Keeps count of what may be spent and what is spent. `usd` and `calls` None: no limit."""

    def __init__(
        self,
        usd: float | None,
        calls: int | None,
        *,
        spent_usd: float = 0.0,
        spent_calls: int = 0,
    ) -> None:
        self.usd = usd
        self.calls = calls
        self.spent_usd = spent_usd
        self.spent_calls = spent_calls
        self._held = 0.0
        self._holders = 0
        self._changed = asyncio.Event()

    async def hold(self, worst: float | None, stopped: Callable[[], bool]) -> bool:
        """Set aside one call that costs at most `worst` dollars; waits while others may yet return.

        False when `stopped()` became true meanwhile. Raises BudgetError when it does not fit.
        """
        most = worst or 0.0
        while True:
            if stopped():
                return False
            if self.calls is not None and self.spent_calls >= self.calls:
                raise BudgetError(
                    f"The budget of {self.calls:,} calls (teacher.budget_calls) is used up. "
                    "Remedy: raise it and start the same command again, which asks only for what "
                    "is missing."
                )
            if self.usd is None or self.spent_usd + self._held + most <= self.usd:
                break
            if not self._holders:
                raise BudgetError(
                    f"The budget of ${self.usd:,.2f} (teacher.budget_usd) is reached: "
                    f"${self.spent_usd:,.4f} is spent and the next call may cost up to "
                    f"${most:,.4f}. Remedy: raise it and start the same command again, which asks "
                    "only for what is missing."
                )
            self._changed.clear()
            await self._changed.wait()
        self._held += most
        self._holders += 1
        self.spent_calls += 1
        return True

    def settle(self, worst: float | None, cost: float | None) -> None:
        """The call is over and cost this much; None: not known, then the most that it can be."""
        self._held -= worst or 0.0
        self._holders -= 1
        self.spent_usd += (worst or 0.0) if cost is None else cost
        self._changed.set()
