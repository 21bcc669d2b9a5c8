"""An invariant -> a sentence in the words of the policy."""

from __future__ import annotations

from engine.model.invariants import Always, Implies, Invariant, Monotone, Never, Order, Test, Tests, Way


def sentence(invariant: Invariant) -> str:
    """Return an invariant as a sentence on one line.

    >>> from engine.model.problems import Place
    >>> low = Order("impact", ("low", "high"))
    >>> sentence(
    ...     Invariant(
    ...         id="x",
    ...         about="",
    ...         source="",
    ...         claim=Monotone((low,), Way.NEVER_RAISES, (Order("wait", ()),)),
    ...         place=Place(file=""),
    ...     )
    ... )
    'raising impact (low < high) never raises wait'
    """
    match invariant.claim:
        case Never(tests):
            return f"never {_all(tests)}"
        case Always(tests):
            return f"always {_all(tests)}"
        case Implies(when, then):
            return f"if {_all(when)} then {_all(then)}"
        case Monotone(raised, way, outcomes):
            verb = "never lowers" if way is Way.NEVER_LOWERS else "never raises"
            return f"raising {' or '.join(map(_order, raised))} {verb} {', then '.join(map(_order, outcomes))}"


def _all(tests: Tests) -> str:
    return " and ".join(map(_test, tests))


def _test(test: Test) -> str:
    return f"{test.name} {test.text}"


def _order(order: Order) -> str:
    return f"{order.name} ({' < '.join(order.values)})" if order.values else order.name
