from __future__ import annotations

import threading
from itertools import pairwise

import numpy as np
import psutil
import pytest

from lipstream.audio import (
    Delivery,
    Speech,
    espeak,
    resample,
    synthesize,
    synthesize_chunks,
    voices,
)
from lipstream.audio.pcm import Samples
from lipstream.audio.voices import find_voice, variants
from lipstream.errors import BadInput, TooLarge

SENTENCE = "Bob put a maple table by the map."


def speakers() -> list[psutil.Process]:
    """The processes that speak for this one."""
    children = psutil.Process().children()
    return [child for child in children if any("espeak_child" in p for p in child.cmdline())]


def sounds(speech: Speech) -> str:
    return " ".join(phone.ipa.strip("ˈˌ") for phone in speech.phones)


def test_a_sentence_is_audible_and_timed() -> None:
    speech = synthesize(SENTENCE)
    assert speech.rate_hz == 22_050
    assert 1.5 < speech.duration_s < 4.0
    assert float(np.abs(speech.samples).max()) > 0.2
    assert sounds(speech).startswith("b ɑː b p ʊ t")
    phones = speech.phones
    assert all(phone.start_s < phone.end_s for phone in phones)
    assert all(one.end_s <= next_one.start_s + 1e-9 for one, next_one in pairwise(phones))
    assert phones[-1].end_s <= speech.duration_s


def test_phone_times_fit_the_sound() -> None:
    """Vowels are loud, and the closure before a stop is nearly silent."""
    speech = synthesize("papa papa papa")
    level: dict[str, list[float]] = {}
    for phone in speech.phones:
        first, last = (round(t * speech.rate_hz) for t in (phone.start_s, phone.end_s))
        loudness = float(np.sqrt(np.mean(speech.samples[first:last] ** 2)))
        level.setdefault(phone.ipa.strip("ˈˌ"), []).append(loudness)
    assert min(level["ɑː"]) > 3 * max(level["p"])


@pytest.mark.parametrize("voice", ["en-us", "en-us+f3", "de", "cmn", "en-us+whisper"])
def test_the_same_words_give_the_same_samples(voice: str) -> None:
    before = synthesize(SENTENCE, voice)
    synthesize("Something else in between", "fr")
    after = synthesize(SENTENCE, voice)
    np.testing.assert_array_equal(before.samples, after.samples)
    assert before.phones == after.phones


def test_threads_do_not_disturb_each_other() -> None:
    plain = {voice: synthesize(SENTENCE, voice).samples for voice in ("en-us", "de", "fr", "es")}
    heard: list[tuple[str, Samples]] = []

    def say(voice: str) -> None:
        heard.extend((voice, synthesize(SENTENCE, voice).samples) for _ in range(3))

    threads = [threading.Thread(target=say, args=(voice,)) for voice in plain]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 12
    for voice, samples in heard:
        np.testing.assert_array_equal(samples, plain[voice])


def test_a_killed_speaker_is_replaced() -> None:
    before = synthesize(SENTENCE)
    for child in speakers():
        child.kill()
        child.wait()
    np.testing.assert_array_equal(synthesize(SENTENCE).samples, before.samples)


def test_speakers_are_replaced_before_they_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(espeak, "_CHILD_UTTERANCES", 20)
    synthesize("Hi")
    before = {child.pid for child in speakers()}
    for _ in range(25 * len(before)):
        synthesize("Hi")
    after = {child.pid for child in speakers()}
    assert len(after) <= len(before)
    assert before - after


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        *(("cmn", "你好世界"), ("ja", "こんにちは"), ("ru", "Привет мир"), ("hi", "नमस्ते")),
        *(("ar", "مرحبا"), ("de", "Guten Tag"), ("es", "Hola mundo"), ("th", "สวัสดี")),
    ],
)
def test_languages(voice: str, text: str) -> None:
    speech = synthesize(text, voice)
    assert speech.duration_s > 0.3
    assert len(speech.phones) >= 4


def test_every_voice_speaks() -> None:
    listed = voices()
    assert len(listed) > 100
    for voice in listed[:: len(listed) // 15]:
        assert synthesize("1 2 3", voice.identifier).phones


def test_controls_change_the_delivery() -> None:
    plain = synthesize(SENTENCE)
    fast = synthesize(SENTENCE, delivery=Delivery(rate_wpm=300))
    assert fast.duration_s < 0.8 * plain.duration_s
    loud = synthesize(SENTENCE, delivery=Delivery(volume=40))
    assert float(np.abs(loud.samples).max()) < 0.7 * float(np.abs(plain.samples).max())
    high = synthesize(SENTENCE, delivery=Delivery(pitch=90))
    assert not np.array_equal(high.samples[:20_000], plain.samples[:20_000])
    other = synthesize(SENTENCE, variant="f3")
    np.testing.assert_array_equal(other.samples, synthesize(SENTENCE, "en-us+f3").samples)


@pytest.mark.parametrize(
    "values", [{"rate_wpm": 79}, {"rate_wpm": 1_000}, {"pitch": -1}, {"volume": 999}]
)
def test_controls_out_of_range_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(BadInput, match="between"):
        Delivery(**values)


def test_a_long_text_comes_in_pieces_with_absolute_times() -> None:
    text = " ".join(f"This is sentence number {n}." for n in range(60))
    pieces = list(synthesize_chunks(text))
    assert len(pieces) > 3
    elapsed = 0.0
    for piece in pieces:
        assert piece.start_s == pytest.approx(elapsed)
        assert piece.duration_s < 40
        assert elapsed <= piece.phones[0].start_s
        assert piece.phones[-1].end_s <= elapsed + piece.duration_s + 1e-9
        elapsed += piece.duration_s
    whole = synthesize(text)
    assert whole.phones == tuple(phone for piece in pieces for phone in piece.phones)
    np.testing.assert_array_equal(
        whole.samples, np.concatenate([piece.samples for piece in pieces])
    )


@pytest.mark.parametrize(
    ("voice", "word", "phones"), [("cmn", "公园", 5), ("th", "สวัสดี", 4), ("ja", "せかい", 5)]
)
def test_scripts_without_spaces_lose_nothing(voice: str, word: str, phones: int) -> None:
    once = len(synthesize(word * 10, voice).phones)
    many = len(synthesize(word * 200, voice).phones)
    assert once >= 10 * phones
    assert many >= 0.95 * 20 * once


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *(("", "empty_text"), (" \n\t ", "empty_text"), ("\x00\x01\x1b", "empty_text")),
        *(("...", "no_speech"), ("\ud800", "empty_text"), (". " * 900, "no_speech")),
    ],
)
def test_nothing_to_say_is_refused(text: str, code: str) -> None:
    with pytest.raises(BadInput) as refusal:
        synthesize(text)
    assert refusal.value.code == code


def test_the_length_of_a_text_is_limited() -> None:
    with pytest.raises(TooLarge, match="20,000"):
        synthesize_chunks("x" * 100_000)


def test_the_length_of_the_speech_is_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lipstream.audio.synthesis.MAX_SPEECH_SECONDS", 60.0)
    taken: list[Speech] = []
    with pytest.raises(TooLarge, match="1 minutes"):
        taken.extend(synthesize_chunks("One more sentence to say. " * 100))
    assert sum(piece.duration_s for piece in taken) <= 60


def test_markup_and_control_characters_are_no_commands() -> None:
    bell = synthesize("Hello \x01 50S world.")
    assert sounds(bell).startswith("h ə l")
    tagged = synthesize('<prosody rate="10"><break time="9000s"/>Hello</prosody>')
    assert tagged.duration_s < 30
    brackets = synthesize("[[h@lo]] world")
    assert brackets.phones


def test_an_unknown_voice_names_its_neighbours() -> None:
    with pytest.raises(BadInput, match="en-us"):
        synthesize("Hello", "en-uss")
    for name in ("../../../etc/passwd", "x" * 10_000, "", "en-us+../f3", "!v/f3"):
        with pytest.raises(BadInput) as refusal:
            find_voice(name)
        assert len(str(refusal.value)) < 300


def test_voices_answer_to_several_names() -> None:
    assert find_voice("EN_US") == find_voice("English (America)") == find_voice("gmw/en-US")
    assert find_voice("en") == "gmw/en"
    assert find_voice("de", "F3") == "gmw/de+f3"
    assert "whisper" in variants()


def test_speech_goes_on_to_16_khz() -> None:
    speech = synthesize("Hello")
    audio = resample(speech.samples, speech.rate_hz, 16_000)
    assert audio.size / 16_000 == pytest.approx(speech.duration_s, abs=1e-3)
