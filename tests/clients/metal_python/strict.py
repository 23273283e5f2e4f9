"""Holds answers against metal-python's models, stricter than metal-python does.

The generated client ignores keys that it does not know, turns every primitive
into the wanted type and takes a missing list for None. Here a key that the
model does not have, a wrong type or a malformed time is an error.
"""

import datetime
import json
import re

import metal_python.models

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")


class Mismatch(AssertionError):
    """The answer is not what its model says."""


def conform(data, kind, at="answer"):
    """Raises Mismatch unless data, parsed JSON, is of the swagger type kind."""
    if data is None:
        # Required fields that are null are refused by the model itself.
        return
    if kind.startswith("list["):
        require(isinstance(data, list), at, kind, data)
        for index, item in enumerate(data):
            require(item is not None, f"{at}[{index}]", kind, item)
            conform(item, kind[len("list["):-1], f"{at}[{index}]")
    elif kind.startswith("dict("):
        require(isinstance(data, dict), at, kind, data)
        value_kind = re.fullmatch(r"dict\([^,]*, (.*)\)", kind).group(1)
        for key, value in data.items():
            require(value is not None, f"{at}.{key}", kind, value)
            conform(value, value_kind, f"{at}.{key}")
    elif kind == "datetime":
        require(isinstance(data, str) and RFC3339.fullmatch(data), at, kind, data)
    elif kind == "int":
        require(type(data) is int, at, kind, data)
    elif kind == "bool":
        require(type(data) is bool, at, kind, data)
    elif kind == "str":
        require(isinstance(data, str), at, kind, data)
    else:
        model = getattr(metal_python.models, kind)
        require(isinstance(data, dict), at, kind, data)
        fields = {json_key: attr for attr, json_key in model.attribute_map.items()}
        for key, value in data.items():
            require(key in fields, f"{at}.{key}", f"a field of {kind}", value)
            conform(value, model.swagger_types[fields[key]], f"{at}.{key}")


def require(condition, at, kind, data):
    if not condition:
        raise Mismatch(f"{at}: want {kind}, got {data!r}")


def watch(client):
    """Makes client check every answer that it deserialises."""
    lenient = client.deserialize

    def deserialize(response, response_type):
        conform(json.loads(response.data), response_type)
        parsed = lenient(response, response_type)
        times_have_zones(parsed)
        return parsed

    client.deserialize = deserialize


def times_have_zones(value):
    if isinstance(value, datetime.datetime):
        require(value.tzinfo is not None, "time", "a time with its zone", value)
    elif isinstance(value, list):
        for item in value:
            times_have_zones(item)
    elif hasattr(value, "swagger_types"):
        for attribute in value.swagger_types:
            times_have_zones(getattr(value, attribute))
