"""Benchmarks: ``python -m benchmarks`` runs all of them and writes RESULTS.md and results.json.

One module a question: ``look_up`` (a triage in process), ``load`` (policies, and many rules), ``flatness`` (10 rules
against 10,000), ``peers`` (the same table in zen-engine and durable-rules), ``clock`` (due times). ``measure`` has the
shared code, ``tickets`` draws tickets for the shipped policies, ``generated`` generates policies. ``serve`` is a
package with its own map: calls to a server, in comparison with Cerbos.
"""
