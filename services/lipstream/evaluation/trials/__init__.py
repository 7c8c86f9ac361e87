"""What contenders are put through: labelled speech, recorded faces, quiet, repetition."""
