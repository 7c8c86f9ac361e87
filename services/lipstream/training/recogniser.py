"""The phone recogniser as a teacher: it hears a whole crop, the streaming encoder what has passed.

The encoder starts as a copy of it, with the convolutions cut to the future that it may see, and
learns to give what the recogniser gives (distillation; G. Hinton et al., 2015), beside the mouth.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from lipstream.audio.mel import BANDS
from lipstream.training.conformer import ConformerBlock
from lipstream.training.encoder_model import INPUT_SCALE, SpeechEncoderModel, loud_share
from lipstream.training.hama_weights import HAMA_BLOCKS, mel_to_hama

__all__ = ["Recogniser", "start_encoder", "typical_mel"]

_SPEECH_LEVEL = -5.0
"""Mean over the bands of the log-mel of LibriSpeech, where it is loud."""
_WIDTH, _HEADS, _INNER, _REACH = 144, 4, 576, 15


class Recogniser(nn.Module):
    """hama 1.7.0's network up to its last block, on our log-mel.

    Args:
        weights: `read_hama`.
        typical: average log-mel of speech as it was trained on. `# [80]`
    """

    matrix: Tensor  # [80, 80]
    offset: Tensor  # [80]
    typical: Tensor  # [80]

    def __init__(self, weights: dict[str, Tensor], typical: Tensor) -> None:
        super().__init__()
        self.stem = nn.Conv1d(BANDS, _WIDTH, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(
            ConformerBlock(
                _WIDTH,
                heads=_HEADS,
                inner=_INNER,
                memory=0,
                past=_REACH,
                ahead=_REACH,
                dropout=0.0,
            )
            for _ in range(HAMA_BLOCKS)
        )
        matrix, offset = mel_to_hama(weights["mel_filters"])
        self.load_state_dict({k: v for k, v in weights.items() if k != "mel_filters"})
        self.register_buffer("matrix", matrix)
        self.register_buffer("offset", offset)
        self.register_buffer("typical", typical)
        self.requires_grad_(False)
        self.eval()

    def forward(self, mel: Tensor) -> Tensor:
        """Output of the last block `# [B, T / 2, 144]` for crops of speech `# [B, T, 80]`."""
        loud = loud_share(mel)
        mean = (mel * loud).sum(1, keepdim=True) / loud.sum(1, keepdim=True).clamp(min=1e-3)
        heard = (mel - mean + self.typical) @ self.matrix.T + self.offset
        x = functional.gelu(self.stem(heard.transpose(1, 2))).transpose(1, 2)
        for block in self.blocks:
            x = block.whole(x)  # type: ignore[operator]
        return x


def start_encoder(encoder: SpeechEncoderModel, recogniser: Recogniser) -> None:
    """Give a fresh encoder the recogniser's weights; its normalisation goes into the stem."""
    state = encoder.state_dict()
    taken = recogniser.blocks.state_dict()
    for name, value in taken.items():
        target = state[f"blocks.{name}"]
        if value.shape != target.shape:  # a convolution that sees less
            first = _REACH - encoder.config.past
            value = value[..., first : first + target.shape[-1]]
        target.copy_(value)
    stem = recogniser.stem.weight  # [W, 80, 3]
    level = recogniser.matrix @ recogniser.typical + recogniser.offset
    state["stem.conv.weight"].copy_(
        INPUT_SCALE * torch.einsum("whk,hb->wbk", stem, recogniser.matrix)
    )
    state["stem.conv.bias"].copy_(
        recogniser.stem.bias + torch.einsum("whk,h->w", stem, level)  # type: ignore[operator]
    )


def typical_mel(speech: Tensor) -> Tensor:  # [B, T, 80] -> [80]
    """Colour of the average speech among crops of log-mel, at the level of recorded books."""
    loud = loud_share(speech)
    mean = (speech * loud).sum((0, 1)) / loud.sum()
    return mean - mean.mean() + _SPEECH_LEVEL
