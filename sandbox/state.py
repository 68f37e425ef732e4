"""What every sandbox remembers, whichever marketplace it is."""

from dataclasses import dataclass, field


@dataclass(kw_only=True)
class SandboxState:
    """Records that fit into one JSON file; a marketplace adds its own."""

    counters: dict[str, int] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    """By operation, spoiled calls included."""
    clock_offset_s: float = 0.0

    def next_id(self, series: str, first: int) -> int:
        """The next number of `series`, which starts at `first`."""
        number = self.counters.get(series, first)
        self.counters[series] = number + 1
        return number

    def count_call(self, operation: str) -> None:
        """One more call of this operation, whatever becomes of it."""
        self.calls[operation] = self.calls.get(operation, 0) + 1
