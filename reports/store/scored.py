"""The protocol of a score: all that must be the same before scores of several languages make one
mean, one correlation, one count of wins or one figure."""

from dataclasses import asdict, dataclass, fields

from reports.store.model import Score

_UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class ScoredAs:
    """The protocol, in words that are "" where nothing is to be said.

    `items` is the number of items that were asked or left out for a lack of text: benchmarks that
    are parallel over languages have as many in each. A revision is that of the data's repository.
    """

    shots: str
    form: str
    system_prompt: str
    data: str
    revision: str
    items: str
    metric: str
    precision: str

    def tell_apart(self, other: "ScoredAs") -> tuple[str, str]:
        """Says of both, in short, where they differ."""
        return self._describe(other), other._describe(self)

    def _describe(self, other: "ScoredAs") -> str:
        mine, others = asdict(self), asdict(other)
        return ", ".join(mine[name] or _UNKNOWN for name in mine if mine[name] != others[name])

    def describe_way(self) -> str:
        """Says how it was asked and computed, without the number of items and the metric, which
        belong to a task."""
        how = (self.shots, self.form, self.system_prompt)
        return ", ".join(filter(None, (*how, self.data, self.revision, self.precision)))

    def __str__(self) -> str:
        return ", ".join(value for field in fields(self) if (value := getattr(self, field.name)))


def find_protocol(score: Score) -> ScoredAs:
    """Finds the protocol of a score from its record."""
    data, asked = score.data, score.protocol_fields
    revision = f"{data.repository} at {data.revision[:12]}" if data.revision else ""
    system = (asked.system_prompt or "") if asked else ""
    return ScoredAs(
        shots=f"{score.shots}-shot",
        form=score.protocol,
        system_prompt=f"system prompt {system!r}" if system else "",
        data=f"data: {data.name} {data.split}",
        revision=revision,
        items=_describe_items(score),
        metric=score.signature or score.metric,
        precision=score.engine.precision or "" if score.engine else "",
    )


def _describe_items(score: Score) -> str:
    limit = score.artifact.manifest.config.get("limit")
    if isinstance(limit, int) and score.n >= limit:
        return f"the first {limit:,} items"
    return f"{score.n + sum(score.left_out.values()):,} items"
