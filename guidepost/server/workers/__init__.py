"""A server of several processes: a supervisor, and workers that listen on the same port.

Every process is started with exec, never by fork. The supervisor answers no calls and makes no decisions, so a faulty
policy or call can only affect another process.

Modules::

    messages         the messages between the processes, as lines of JSON
    channel          a connection between two processes
    supervisor       starts, replaces and reloads the workers
    lifecycle        runs a supervisor: signals, changed files, the order of stopping
    process          starts a process with a channel to it
    worker           the program of a worker
    single_process   a server without a supervisor
    run_build        runs the build process
    build_process    the program that builds a bundle of policies
    pickled_bundle   a built bundle as bytes
    admin_link       starts the admin process and answers its requests
    admin_process    the program that serves AdminService and the metrics
    metrics_merge    the metrics of all workers and of the supervisor as one list
    shared_port      a port for several processes of one server
    systemd          notifies systemd that the server is ready or stopping
"""
