"""Which speech encoder a motion model was trained on, by the metadata of its file."""

from __future__ import annotations

from lipstream.errors import BadInput, Internal
from lipstream.inference import EncoderIdentity, ModelRunner

__all__ = ["ENCODER_METADATA", "trained_on"]

ENCODER_METADATA = "encoder"


def trained_on(model: ModelRunner, width: int) -> EncoderIdentity:
    """
    Files of before there was a choice do not say it: they are of the project's own encoder.

    Args:
        width: D, of the features that the model takes.

    Raises:
        Internal: the metadata name no encoder.
    """
    text = model.text(ENCODER_METADATA)
    if not text:
        return EncoderIdentity.own(width)
    try:
        return EncoderIdentity.decode(text)
    except BadInput as error:
        raise Internal(
            "The motion model does not say which encoder it was trained on.", code="model_damaged"
        ) from error
