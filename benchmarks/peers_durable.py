"""The child process with durable-rules: reads rules and tickets as one line of JSON, then a command on each line.

``answers`` writes the rules that match each ticket, as bits; ``time`` evaluates all tickets once and writes the
microseconds of one.
"""

from __future__ import annotations

import json
import sys
import time

import durable_rules_engine

from engine.cross_check.worker import ask, definition


def main() -> None:
    """Run commands until the input ends."""
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
