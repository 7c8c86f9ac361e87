"""What is wrong with a caller's document, in words for its author.

pydantic speaks to those who wrote the model: of dictionaries, of instances, of tags.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic_core import ErrorDetails

__all__ = ["fault_place", "fault_words"]

_PREFIX = "Value error, "
_NOT_A_FILE = "Expected UploadFile"
"""What FastAPI says where text stands in place of a file."""
_NOT_AN_OBJECT = {"model_type", "model_attributes_type", "dict_type", "dataclass_type"}
_OUTSIDE = {"body", "query", "[key]"}
"""Parts of a place that name nothing in the document."""


def fault_place(parts: Sequence[str | int]) -> str:
    """A fault's `loc` as one name, such as `controls.gaze.yaw_deg`; empty for all of a document."""
    return ".".join(str(part) for part in parts if part not in _OUTSIDE)


def fault_words(fault: ErrorDetails) -> str:
    """What is wrong, without a full stop."""
    kind, about = fault["type"], fault.get("ctx", {})
    if kind in _NOT_AN_OBJECT:
        return "must be a JSON object"
    if kind in ("extra_forbidden", "unexpected_keyword_argument"):
        return "there is no such field"
    if kind == "union_tag_not_found":
        return f"the field {about['discriminator']} is missing"
    if kind == "union_tag_invalid":
        known = about["expected_tags"].replace("'", "")
        return f"there is no {about['discriminator']} {about['tag'][:40]!r}; choose of {known}"
    words = fault["msg"].removeprefix(_PREFIX)
    return "must be a file of the form" if words.startswith(_NOT_A_FILE) else words
