"""A stand-in for the Azure Functions host, for development and tests.

It runs a Python v2 function app in-process on Microsoft's own worker library (`azure-functions-runtime`: indexing,
decorators, converters), and plays the host's part around it: routes and keys, queue polling and poison queues, timers,
the Event Grid webhook, admin requests and the drain at the end. `func` (Azure Functions Core Tools) runs the same app.

    errors           what stops the host, told to a person
    settings         local.settings.json, host.json, %NAME%
    app              indexing with the worker library
    bindings         which bindings this host can serve
    invocation       one run of one function: time limit, outcome, the log line
    storage          connections to Azure Storage
    queue_outputs    the `queue` output binding
    routes, keys     route templates; function, host, system and master keys
    http_triggers, queues, timers (schedules, timer_status), event_grid, admin      what starts an invocation
    running          the composition: start, serve, drain
    console, waiting what is written to stderr; waits that end when the host stops
"""
