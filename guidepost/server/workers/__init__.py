"""A server of several processes: one small supervisor, and workers that share a port. Everything is started by exec, never by fork.

One module a step::

    built       a bundle of versions <-> a file that all workers map into memory
    build       (program) a policies folder -> such a file, or every problem with it
    told        what the supervisor and a worker say to each other
    channel     these as lines over a pair of sockets
    port        an address that only this server's workers share
    worker      (program) serves the bundle that it is told to serve
    alone       serves from a single process, without a supervisor
    notify      tells a service manager that calls are answered
    supervisor  starts, restarts, rolls and stops the workers; reloads in all of them, or in none

The supervisor answers no call and decides nothing: whatever goes wrong with a policy or a call happens in another process.
"""
