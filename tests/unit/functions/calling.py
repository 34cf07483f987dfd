"""Functions, called as the worker calls them."""

import json
from typing import Any

import azure.functions as func

import function_app

FUNCTIONS = {function.get_function_name(): function for function in function_app.app.get_functions()}


def call(name: str, *arguments: Any) -> Any:
    return FUNCTIONS[name].get_user_function()(*arguments)


def told(response: func.HttpResponse) -> Any:
    return json.loads(response.get_body())
