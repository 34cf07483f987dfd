"""One function of each kind. What they see is kept in memory and read back over HTTP: GET /api/seen."""

import asyncio
import json
import logging
import threading
import time
import typing

import azure.functions as func

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
seen: list[dict[str, typing.Any]] = []
log = logging.getLogger("sample")

print("this line must not reach stdout")  # noqa: T201 - that is what is tested


@app.route(route="seen", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def seen_so_far(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(seen), mimetype="application/json")


@app.route(route="echo", methods=["POST", "PUT"])
async def echo(req: func.HttpRequest) -> func.HttpResponse:
    body = req.get_body()
    document = {"length": len(body), "headers": dict(req.headers), "query": dict(req.params), "url": req.url}
    headers = {"X-First": body[:1].hex(), "Set-Cookie": "taste=oat; Path=/; HttpOnly"}
    return func.HttpResponse(json.dumps(document), status_code=201, headers=headers)


def _parameters(req: func.HttpRequest, function: str) -> func.HttpResponse:
    return func.HttpResponse(json.dumps({"function": function, **req.route_params}))


@app.route(route="items/{id:int}")
async def item(req: func.HttpRequest) -> func.HttpResponse:
    return _parameters(req, "item")


@app.route(route="items/newest")
async def newest_item(req: func.HttpRequest) -> func.HttpResponse:
    return _parameters(req, "newest_item")


@app.route(route="shelves/{shelf}/{place:range(1,9)?}")
async def shelf(req: func.HttpRequest) -> func.HttpResponse:
    return _parameters(req, "shelf")


@app.route(route="files/{*path}")
async def file(req: func.HttpRequest) -> func.HttpResponse:
    return _parameters(req, "file")


@app.route(route="thread", auth_level=func.AuthLevel.ANONYMOUS)
def thread(req: func.HttpRequest) -> str:
    return threading.current_thread().name


@app.route(route="broken")
async def broken(req: func.HttpRequest) -> func.HttpResponse:
    raise RuntimeError("broken on purpose")


@app.route(route="for-admins", auth_level=func.AuthLevel.ADMIN)
async def for_admins(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("welcome")


@app.route(route="endless", auth_level=func.AuthLevel.ANONYMOUS)
async def endless(req: func.HttpRequest) -> func.HttpResponse:
    try:
        await asyncio.Event().wait()
    finally:
        seen.append({"function": "endless", "cancelled": True})
    return func.HttpResponse("never")


@app.route(route="off")
async def switched_off(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("off")


@app.route(route="slow/{milliseconds:int}")
async def slow(req: func.HttpRequest) -> func.HttpResponse:
    seen.append({"function": "slow"})
    await asyncio.sleep(int(req.route_params["milliseconds"]) / 1000)
    return func.HttpResponse("done")


@app.route(route="enqueue", methods=["POST"])
@app.queue_output(arg_name="out", queue_name="%WORK_QUEUE%-out", connection="AzureWebJobsStorage")
async def enqueue(req: func.HttpRequest, out: func.Out[typing.List[str]]) -> func.HttpResponse:  # noqa: UP006 - the worker library refuses list[str]
    out.set(req.get_json())
    return func.HttpResponse(status_code=202)


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%", connection="AzureWebJobsStorage")
@app.queue_output(arg_name="out", queue_name="%WORK_QUEUE%-out", connection="AzureWebJobsStorage")
async def work(message: func.QueueMessage, out: func.Out[str]) -> None:
    order = message.get_json()
    seen.append(
        {
            "function": "work",
            "name": order["name"],
            "count": message.dequeue_count,
            "at": time.monotonic(),
            "inserted": message.insertion_time.isoformat(),
        }
    )
    log.info("order.started", extra={"order": order["name"]})
    await asyncio.sleep(order.get("seconds", 0))
    if message.dequeue_count <= order.get("failures", 0):
        raise RuntimeError("failed on purpose")
    out.set(f"finished {order['name']}")


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%-late", connection="AzureWebJobsStorage")
def late(message: func.QueueMessage) -> None:
    seen.append({"function": "late", "body": message.get_body().decode()})


@app.queue_trigger(arg_name="message", queue_name="%WORK_QUEUE%-own-poison", connection="AzureWebJobsStorage")
async def grave(message: func.QueueMessage) -> None:
    seen.append({"function": "grave", "count": message.dequeue_count, "at": time.monotonic()})
    raise RuntimeError("fails in the poison queue too")


@app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *", run_on_startup=True)
async def yearly(timer: func.TimerRequest) -> None:
    seen.append({"function": "yearly", "past_due": timer.past_due, "status": timer.schedule_status})


@app.timer_trigger(arg_name="timer", schedule="00:00:00.3")
async def tick(timer: func.TimerRequest) -> None:
    seen.append({"function": "tick", "running": "in"})
    await asyncio.sleep(0.4)
    seen.append({"function": "tick", "running": "out"})


@app.event_grid_trigger(arg_name="event")
async def on_event(event: func.EventGridEvent) -> None:
    is_cloud_event = isinstance(event, func.CloudEvent)
    data = event.get_json()
    seen.append({"function": "on_event", "id": event.id, "cloud": is_cloud_event, "data": data})
    if data.get("fails"):
        raise RuntimeError(f"event {event.id} failed on purpose")
