"""The child that asks durable-rules: rules and tickets as one line of JSON, then a line for each thing to do.

``answers`` gives the rules that match each ticket, as bits; ``time`` asks all tickets once and gives the microseconds of one.
"""

from __future__ import annotations

import json
import sys
import time

import durable_rules_engine

from engine.cross_check.worker import ask, definition


def main() -> None:
    """Serve until there are no more lines."""
    given = json.loads(sys.stdin.readline())
    handle = durable_rules_engine.create_ruleset("peer", definition(given["rules"]))
    facts = [
        "{" + f'"id":{number},"any":1' + "".join(f',"f{axis}":{value}' for axis, value in enumerate(ticket)) + "}"
        for number, ticket in enumerate(given["tickets"])
    ]
    for line in sys.stdin:
        start = time.process_time()
        matching = [ask(durable_rules_engine, handle, fact) for fact in facts]
        taken = time.process_time() - start
        print(json.dumps(matching if line.strip() == "answers" else taken * 1_000_000 / len(facts)), flush=True)


if __name__ == "__main__":
    main()
