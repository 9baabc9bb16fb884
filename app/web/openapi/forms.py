"""Schemas of form bodies."""

from app.web.openapi.rows import FORMAT
from app.web.openapi.types import STRING, WHOLE, Schema, fields

FILE_FORM: Schema = fields(
    {
        "file": {"type": "string", "format": "binary", "description": "A .txt or .md file."},
        "title": STRING,
        "encoding": {"type": "string", "description": "Overrides the guess, such as gb18030."},
        "engine": STRING,
        "voice": STRING,
        "format": FORMAT,
        "timeout_s": {"type": "number"},
        "max_attempts": WHOLE,
    },
    optional=("title", "encoding", "engine", "voice", "format", "timeout_s", "max_attempts"),
)
UPLOAD_FORM: Schema = {
    "type": "object",
    "properties": FILE_FORM["properties"] | {"content": STRING, "text": STRING},
}
