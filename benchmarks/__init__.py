"""How fast Guidepost is: ``python -m benchmarks`` measures it all and writes RESULTS.md and results.json.

One module a question: ``look_up`` (a triage in process), ``load`` (policies, and many rules), ``flatness`` (10 rules
against 10,000), ``peers`` (the same table in zen-engine and durable-rules), ``clock`` (due times). ``measure`` has what they share,
``tickets`` draws tickets for the shipped policies, ``generated`` makes policies up. ``serve`` is a package with its own map: calls to a server, beside Cerbos.
"""
