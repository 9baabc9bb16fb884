"""JSON Schema in a few words: objects whose members are all there, and nothing else."""

from collections.abc import Collection, Mapping
from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
ANY_OBJECT: Schema = {"type": "object"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ID: Schema = {"type": "integer", "minimum": 1}
RATIO: Schema = {"type": "number", "minimum": 0, "maximum": 1}
TRACE_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
SPAN_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
EPOCH_S: Schema = {"type": "number", "description": "Seconds since the epoch."}


def said(schema: Schema, description: str) -> Schema:
    """The schema with words."""
    return schema | {"description": description}


def maybe(schema: Schema) -> Schema:
    """The schema, or null."""
    if isinstance(schema.get("type"), str):
        words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
        return schema | {"type": [schema["type"], "null"]} | words
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(*words: str) -> Schema:
    """One of these words."""
    return {"type": "string", "enum": list(words)}


#: Of an attempt or a task.
JAEGER_URL: Schema = said(
    maybe(STRING), "Its trace in Jaeger; null unless it was seen there, and is kept."
)


def listed(schema: Schema) -> Schema:
    """A list of these."""
    return {"type": "array", "items": schema}


def by_name(schema: Schema) -> Schema:
    """An object with any names, and these values."""
    return {"type": "object", "additionalProperties": schema}


def fields(members: Mapping[str, Schema], optional: Collection[str] = ()) -> Schema:
    """An object with exactly these members; all are there but the optional ones."""
    return {
        "type": "object",
        "properties": dict(members),
        "required": [name for name in members if name not in optional],
        "additionalProperties": False,
    }


def ref(name: str) -> Schema:
    """A named schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}
