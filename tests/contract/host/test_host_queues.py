"""Queue triggers and the queue output, on Azurite. The sample's host.json: 3 tries, 1 s delay after a failure."""

import base64
import json
import uuid
from datetime import UTC, datetime, timedelta

from host_processes import Host, eventually


def is_empty(host: Host, suffix: str = "") -> bool:
    """Messages that are hidden, because somebody holds them, count too."""
    return host.queue(suffix).get_queue_properties().approximate_message_count == 0


def buried(host: Host, name: str) -> list[str]:
    return [content for content in host.peek("-poison") if name in content]


def test_a_message_is_run_once_and_deleted(host: Host) -> None:
    name = host.order()

    (note,) = eventually(lambda: host.seen("work", name=name))
    eventually(lambda: is_empty(host))
    assert note["count"] == 1
    assert datetime.now(UTC) - datetime.fromisoformat(note["inserted"]) < timedelta(minutes=1)
    assert len(host.seen("work", name=name)) == 1


def test_the_extras_of_the_apps_records_reach_the_log_with_the_invocation(host: Host) -> None:
    name = host.order()
    eventually(lambda: host.seen("work", name=name))

    (line,) = [line for line in host.log.read_text().splitlines() if f"order={name}" in line]
    assert " INFO sample: order.started " in line
    assert line.endswith("]")


def test_a_failed_message_is_tried_again_after_the_visibility_timeout(host: Host) -> None:
    name = host.order(failures=1)

    first, second = eventually(lambda: (notes := host.seen("work", name=name)) and len(notes) == 2 and notes)
    eventually(lambda: is_empty(host))
    assert (first["count"], second["count"]) == (1, 2)
    assert second["at"] - first["at"] >= 0.9
    assert not buried(host, name)


def test_after_the_last_try_the_body_is_in_the_poison_queue(host: Host) -> None:
    name = host.order(failures=99)

    (content,) = eventually(lambda: buried(host, name))
    eventually(lambda: is_empty(host))
    assert json.loads(content)["name"] == name
    assert [note["count"] for note in host.seen("work", name=name)] == [1, 2, 3]


def test_a_message_tried_too_often_already_is_buried_without_a_run(guarded_host: Host) -> None:
    # the fixture took it four times before it started the host
    eventually(lambda: is_empty(guarded_host, "-late"))

    assert guarded_host.peek("-late-poison") == ["worn"]
    assert not guarded_host.seen("late")


def test_a_message_that_is_not_base64_is_buried_as_it_is(host: Host) -> None:
    name = uuid.uuid4().hex
    host.queue(encoded=False).send_message(f"<plain & {name}>")

    eventually(lambda: f"<plain & {name}>" in host.peek("-poison", encoded=False))
    eventually(lambda: is_empty(host))


def test_a_message_in_progress_stays_hidden_by_renewals(host: Host) -> None:
    name = host.order(seconds=2.6)  # the lease is 2 s, so that it ends in the middle unless renewed

    eventually(lambda: f"finished {name}" in host.peek("-out"))
    eventually(lambda: is_empty(host))
    assert len(host.seen("work", name=name)) == 1


def test_a_message_sent_with_a_delay_is_run_when_it_becomes_visible(host: Host) -> None:
    name = uuid.uuid4().hex
    host.queue().send_message(json.dumps({"name": name}), visibility_timeout=2)
    marker = host.order()

    eventually(lambda: host.seen("work", name=marker))
    assert not host.seen("work", name=name)
    eventually(lambda: host.seen("work", name=name))


def test_at_most_batch_size_and_threshold_run_at_once(host: Host) -> None:
    names = [host.order(seconds=0.5) for _ in range(9)]

    eventually(lambda: sum(len(host.seen("work", name=name)) for name in names) == 9)
    starts = sorted(host.seen("work", name=name)[0]["at"] for name in names)
    # batches of 4 with a threshold of 0: the fifth waits until all four before it have ended
    assert all(later - earlier >= 0.45 for earlier, later in zip(starts, starts[4:], strict=False))


def test_a_queue_that_is_made_later_is_served_then(host: Host) -> None:
    queue = host.queue("-late")
    queue.create_queue()
    queue.send_message("at last")

    eventually(lambda: host.seen("late", body="at last"))


def test_a_message_failing_in_a_poison_queue_stays_hidden_for_the_lease(host: Host) -> None:
    queue = host.queue("-own-poison")
    queue.create_queue()
    queue.send_message("again")

    first, second = eventually(lambda: (notes := host.seen("grave")) and len(notes) == 2 and notes)
    assert (first["count"], second["count"]) == (1, 2)
    assert second["at"] - first["at"] >= 1.9


def test_the_queue_output_makes_its_queue_and_sends_each_item_in_base64(host: Host) -> None:
    texts = [f"item {uuid.uuid4().hex}", "ü"]
    assert host.post_json("/api/enqueue", texts).status == 202

    assert {base64.b64encode(text.encode()).decode() for text in texts} <= set(host.peek("-out", encoded=False))


def test_a_queue_function_is_run_by_hand(host: Host) -> None:
    name = uuid.uuid4().hex
    reply = host.post_json("/admin/functions/work", {"input": json.dumps({"name": name})})

    assert reply.status == 202
    eventually(lambda: host.seen("work", name=name, count=1))
