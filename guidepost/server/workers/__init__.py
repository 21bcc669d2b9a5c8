"""A server of several processes: one small supervisor, and workers that share a port. Everything is started by exec, never by fork.

The supervisor answers no call and decides nothing: whatever goes wrong with a policy or a call happens in another process.

Modules::

    admin_link      the admin service and the metrics as the supervisor has them
    admin_process   the program that answers AdminService and serves metrics, each on a port of its own
    build_process   the program that builds a bundle
    bundle_file     A built bundle in a file
    bundle_storage  where a server keeps its built bundles
    channel         A line each way over a pair of connected sockets
    lifecycle       A supervisor's life
    messages        what the supervisor and a worker say to each other, and how it is written
    metrics_merge   what the workers of a server have measured, put together
    process         A process that the supervisor started, and the channel to it
    run_build       builds the policies of a folder in a process of its own, which ends with the build
    shared_port     the address of a server of several processes: theirs alone, although each of them binds it
    single_process  A server of a single process, without a supervisor
    supervisor      one small process that keeps the workers
    systemd         what a server says of itself to whoever started it as a service
    worker          the program that answers calls, one of several
"""
