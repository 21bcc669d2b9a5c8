"""The rules of a deadline as a diagram over what it reads: which of them count, and the target that follows.

The outcomes that set the amount and the region are read value by value, beside what the rules test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.diagrams.store import Node
from engine.model.policy import Deadline, Literal
from engine.model.targets import NOTHING, Measure, Target, WrittenCalendar
from engine.tables.partition import Partition
from engine.tables.rule_diagram import RuleDiagram, States, rule_diagram


def value_read(outcome: str) -> str:
    """Return the name of an outcome as a deadline reads it: value by value."""
    return f"value of {outcome}"


def target_rules(
    deadline: Deadline,
    calendars: Mapping[str, WrittenCalendar],
    *,
    states: Mapping[str, States],
    parts: Mapping[str, Partition],
    domains: Mapping[str, tuple[Literal, ...]],
    most: int,
) -> tuple[RuleDiagram, Node]:
    """Draw the rules of a deadline, and its target where nothing is waited for; None is "nothing is due".

    ``domains`` has the values of the outcomes that set its amount and its region.
    """
    rules = rule_diagram(deadline.table.rules, deadline.table.hit, states, parts, most=most)
    own = rules.store
    measures = [_measure(rule.then[deadline.name], deadline) for rule in deadline.table.rules]

    def needs(counted: tuple[int, ...], name: str) -> bool:
        measure = measures[counted[0]] if counted else NOTHING
        if measure == NOTHING:
            return False
        by_region = calendars[measure.calendar].needs_region(measure.unit)
        return (name == deadline.amount and measure.amount is None) or (name == deadline.region and by_region)

    def target(counted: tuple[int, ...], *classes: int) -> Target | None:
        measure = measures[counted[0]] if counted else NOTHING
        if measure == NOTHING:
            return None
        values = {name: domains[name][one - 1] if one else None for name, one in zip(domains, classes, strict=True)}
        amount = values.get(deadline.amount) if measure.amount is None else measure.amount
        region = values.get(deadline.region)
        if not isinstance(amount, (int, float)) or (region is None and needs(counted, deadline.region)):
            return None
        return Target(
            amount=amount,
            unit=measure.unit,
            rule=measure.rule,
            calendar=measure.calendar,
            region=region if isinstance(region, str) else "",
        )

    waits = {
        value_read(name): own.combine(
            lambda counted, missing, name=name: missing and needs(counted, name),
            rules.counts,
            rules.waits[value_read(name)],
        )
        for name in domains
    }
    by_class = [own.node(read, [own.leaf(one) for one in states[read].classes]) for read in map(value_read, domains)]
    targets = own.combine(target, rules.counts, *by_class)
    return replace(rules, waits={**rules.waits, **waits}), targets


def _measure(value: object, deadline: Deadline) -> Measure:
    if not isinstance(value, Measure):
        raise TypeError(f"expected a measure in each rule of the deadline `{deadline.name}`, got {value!r}")
    return value
