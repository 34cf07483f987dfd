"""What stops a start, and what an end leaves behind."""

import signal
import threading
from collections.abc import Callable

import pytest
from host_processes import Ended, Host, StartHost, eventually

RunHost = Callable[..., Ended]
HEAD = "import azure.functions as func\napp = func.FunctionApp()\n"
TIMER = '@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")\ndef yearly(timer: func.TimerRequest) -> None: ...\n'
QUEUE = '@app.queue_trigger(arg_name="m", queue_name="%Q%", connection="STORE")\ndef take(m: func.QueueMessage) -> None: ...\n'
BLOB = '@app.blob_trigger(arg_name="blob", path="a/{n}", connection="S")\ndef read(blob: func.InputStream) -> None: ...\n'
HTTP = '@app.route(route="{a:unheard}")\ndef get(req: func.HttpRequest) -> str: return ""\n'
RETRY = '@app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")\n'


@pytest.mark.parametrize(
    ("function_app", "environment", "expected"),
    [
        pytest.param(
            f"{HEAD}\nimport nothing_like_this\n",
            {},
            ["cannot be loaded", 'function_app.py", line 4', "nothing_like_this"],
            id="import error",
        ),
        pytest.param(HEAD + BLOB, {}, ["function read", "binding blob", "blobTrigger"], id="unknown binding"),
        pytest.param(HEAD + QUEUE, {}, ["function take", "binding m", "%Q%"], id="missing setting"),
        pytest.param(HEAD + QUEUE, {"Q": "jobs"}, ["function take", "the setting STORE is not set"], id="no connection"),
        pytest.param(
            HEAD + QUEUE,
            {"Q": "jobs", "STORE__queueServiceUri": "https://a.example"},
            ["function take", "managed identity", "STORE"],
            id="identity",
        ),
        pytest.param(HEAD + QUEUE, {"Q": "no_queue"}, ["function take", "binding m", "'no_queue' is not a"], id="queue name"),
        pytest.param(HEAD + TIMER.replace("1 *", "13 *"), {}, ["function yearly", "NCRONTAB"], id="schedule"),
        pytest.param(HEAD + HTTP, {}, ["function get", "constraint unheard"], id="route constraint"),
        pytest.param(HEAD + RETRY + TIMER, {}, ["function yearly", "retry"], id="retry policy"),
    ],
)
def test_an_app_that_cannot_be_served_ends_with_a_reason(
    run_host: RunHost, function_app: str, environment: dict[str, str], expected: list[str]
) -> None:
    ended = run_host(function_app, **environment)

    assert ended.status == 1
    assert ended.stdout == ""
    assert ended.stderr.count("error: ") == 1
    for text in expected:
        assert text in ended.stderr.split("error: ")[-1]


def test_a_host_json_that_the_host_would_refuse_ends_with_a_reason(run_host: RunHost) -> None:
    ended = run_host(HEAD, '{"version": "2.0", "extensions": {"queues": {"batchSize": 33}}}')

    assert ended.status == 1
    assert "batchSize must be from 1 to 32" in ended.stderr


def test_sigterm_finishes_what_runs_and_takes_nothing_new(start_host: StartHost) -> None:
    host = start_host()
    name = host.order(seconds=1)
    eventually(lambda: host.seen("work", name=name))
    statuses: list[int] = []
    request = threading.Thread(target=lambda: statuses.append(host.get("/api/slow/1000").status))
    request.start()
    eventually(lambda: host.seen("slow"))

    host.process.terminate()
    eventually(lambda: "stopping" in host.log.read_text())
    late = host.order()
    assert host.process.wait(15) == 0
    request.join(5)

    assert statuses == [200]
    assert host.peek("-out") == [f"finished {name}"]
    (left,) = host.peek()
    assert late in left
    assert host.process.stdout.read() == ""  # the ready line was the only one


def test_a_message_comes_back_after_a_kill(start_host: StartHost) -> None:
    host = start_host()
    name = host.order(seconds=3)
    eventually(lambda: host.seen("work", name=name))

    host.process.send_signal(signal.SIGKILL)
    host.process.wait()

    (message,) = eventually(lambda: list(host.queue().receive_messages(max_messages=1)))
    assert name in message.content
    assert message.dequeue_count == 2


def test_sigint_ends_an_idle_host_at_once(start_host: StartHost) -> None:
    host: Host = start_host()
    host.process.send_signal(signal.SIGINT)

    assert host.process.wait(5) == 0
