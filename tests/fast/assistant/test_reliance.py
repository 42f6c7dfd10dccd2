"""The reliance dial's arithmetic, by hand and by properties; and its setting."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from assistant.answering.dial import leans_on_model, share_of
from assistant.answering.readers import ModelReader
from assistant.answering.reliance import adaptive, candidates, entropy, in_conflict, mixed
from assistant.errors import UsageError
from assistant.reading import choose_reader
from assistant.settings import load_settings, save_settings
from assistant.workspace import Workspace

ALWAYS = math.inf
# Three words. Alone the model says the first, after reading the second.
OWN = np.log([0.6, 0.3, 0.1])
READ = np.log([0.2, 0.5, 0.3])


def test_entropies_by_hand() -> None:
    own = -(0.6 * math.log(0.6) + 0.3 * math.log(0.3) + 0.1 * math.log(0.1))  # .8979
    read = -(0.2 * math.log(0.2) + 0.5 * math.log(0.5) + 0.3 * math.log(0.3))  # 1.0297
    found = mixed(OWN, READ, 0.5)
    assert found.own_entropy == pytest.approx(own)
    assert found.context_entropy == pytest.approx(read)
    assert entropy(np.log([0.5, 0.5])) == pytest.approx(math.log(2))
    assert entropy(np.array([-3.0])) == 0.0


def test_scores_by_hand() -> None:
    # q_para = log(.6, .3, .1); q_cont = log(.2/.6, .5/.3, .3/.1) = log(1/3, 5/3, 3)
    assert mixed(OWN, READ, 0.0).scores == pytest.approx(np.log([1 / 3, 5 / 3, 3.0]))
    assert mixed(OWN, READ, 1.0).scores == pytest.approx(OWN)
    quarter = mixed(OWN, READ, 0.25)
    assert quarter.scores == pytest.approx(
        [0.25 * math.log(p) + 0.75 * math.log(r) for p, r in ((0.6, 1 / 3), (0.3, 5 / 3), (0.1, 3))]
    )
    assert [mixed(OWN, READ, at).best for at in (0.0, 0.5, 1.0)] == [2, 1, 0]


def test_automatic_share_by_hand() -> None:
    found = mixed(OWN, READ, "auto")
    assert found.alpha == pytest.approx(1.0297 / (0.8979 + 1.0297), abs=1e-4)
    assert found.best == 1
    assert adaptive(0.0, 0.0) == 0.5
    assert adaptive(2.0, 0.0) == 0.0
    assert adaptive(0.0, 2.0) == 1.0


def test_conflict_by_hand() -> None:
    assert in_conflict(0.9, 1.0, 0.0)
    assert not in_conflict(1.0, 1.0, 0.0)
    assert in_conflict(1.9, 1.0, 1.0)
    assert not in_conflict(0.0, 0.0, 5.0)  # both sure: plain
    assert in_conflict(9.0, 0.0, ALWAYS)
    plain = mixed(READ, OWN, 1.0, k=0.0)  # reading made it surer: no conflict
    assert plain.alpha is None
    assert plain.scores == pytest.approx(OWN)


def test_sampling_takes_the_mixture_twice() -> None:
    # α = ½ twice is the distribution after reading, not its square root.
    assert np.exp(mixed(OWN, READ, 0.5, k=ALWAYS).logprobs()) == pytest.approx([0.2, 0.5, 0.3])
    squared = np.array([0.36, 0.09, 0.01])
    assert np.exp(mixed(OWN, READ, 1.0, k=ALWAYS).logprobs()) == pytest.approx(
        squared / squared.sum()
    )
    generator = np.random.default_rng(1)
    drawn = [mixed(OWN, READ, 0.5, k=ALWAYS).sample(1.0, generator) for _ in range(2000)]
    assert np.bincount(drawn) / 2000 == pytest.approx([0.2, 0.5, 0.3], abs=0.04)
    assert mixed(OWN, READ, 0.5, k=ALWAYS).sample(0.0, generator) == 1


def test_candidates_are_plausible_and_ten_at_most() -> None:
    assert candidates(np.log([0.9, 0.0091, 0.0089, 0.082])).tolist() == [0, 1, 3]
    assert len(candidates(np.zeros(50))) == 10
    assert candidates(np.array([-np.inf, 0.0])).tolist() == [1]


def test_what_only_one_side_can_say() -> None:
    own, read = np.array([0.0, -np.inf]), np.array([-np.inf, 0.0])
    assert [mixed(own, read, at, k=ALWAYS).best for at in (0.0, 1.0)] == [1, 0]
    assert np.isfinite(mixed(own, read, 0.5, k=ALWAYS).scores).all()


def test_wrong_input_is_refused() -> None:
    with pytest.raises(UsageError, match="weigh"):
        mixed(OWN, READ[:2], 0.5)
    with pytest.raises(UsageError, match="between 0 and 1"):
        mixed(OWN, READ, 1.5)


def _distribution(size: int) -> st.SearchStrategy[NDArray[np.float64]]:
    floats = st.floats(-12, 0, allow_nan=False)
    return st.lists(floats, min_size=size, max_size=size).map(
        lambda values: np.array(values) - np.log(np.exp(np.array(values)).sum())
    )


PAIRS = st.integers(2, 30).flatmap(lambda n: st.tuples(_distribution(n), _distribution(n)))


@given(PAIRS)
def test_the_ends_of_the_dial(pair: tuple[NDArray[np.float64], NDArray[np.float64]]) -> None:
    own, read = pair
    documents, model = (mixed(own, read, at, k=ALWAYS) for at in (0.0, 1.0))
    added = read - own
    assert added[documents.best] == pytest.approx(added[documents.ids].max())
    assert own[model.best] == pytest.approx(own.max())  # the likeliest is always a candidate
    middle = mixed(own, read, 0.5, k=ALWAYS)
    assert read[middle.best] == pytest.approx(read.max())  # as plain decoding


@given(PAIRS, st.floats(0, 1), st.floats(0, 1))
def test_between_two_tokens_the_odds_move_one_way(
    pair: tuple[NDArray[np.float64], NDArray[np.float64]], a: float, b: float
) -> None:
    own, read = pair
    low, high = sorted((a, b))
    first, second = (mixed(own, read, at, k=ALWAYS) for at in (low, high))
    assume(len(first.ids) > 1)
    assert (first.ids == second.ids).all()
    one, other = 0, len(first.ids) - 1
    towards = (own[first.ids[one]] - own[first.ids[other]]) - (
        (read - own)[first.ids[one]] - (read - own)[first.ids[other]]
    )
    moved = (second.scores[one] - second.scores[other]) - (first.scores[one] - first.scores[other])
    assert moved == pytest.approx((high - low) * towards, abs=1e-6)


@given(PAIRS, st.sampled_from([0.0, 0.3, 1.0, "auto"]), st.sampled_from([0.0, 1.0, ALWAYS]))
def test_probabilities_add_up(
    pair: tuple[NDArray[np.float64], NDArray[np.float64]], at: float, k: float
) -> None:
    found = mixed(*pair, at, k=k)
    assert np.exp(found.logprobs(0.7)).sum() == pytest.approx(1.0)
    assert found.best in found.ids


# -- the setting --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kept", "share"),
    [("off", "off", None), ("Auto", "auto", "auto"), ("0.250", "0.25", 0.25), (1, "1", 1.0)],
)
def test_the_setting_is_kept_in_its_shortest_form(
    written: object, kept: str, share: object, tmp_path: Path
) -> None:
    settings = load_settings({"answering.reliance": written}, home=tmp_path, environ={})
    assert settings.answering.reliance == kept
    assert share_of(kept) == share
    save_settings(tmp_path, {"answering.reliance": kept})
    again = load_settings(home=tmp_path, environ={})
    assert again.answering.reliance == kept


@pytest.mark.parametrize("wrong", ["1.1", "-0.1", "half", True, "nan"])
def test_what_is_no_place_of_the_dial_is_refused(wrong: object, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither off, auto nor a number"):
        load_settings({"answering.reliance": wrong}, home=tmp_path, environ={})


def test_when_unsupported_answers_are_wanted() -> None:
    assert [leans_on_model(share) for share in (None, 0.0, 0.5, 0.51, 1.0, "auto")] == [
        *[False] * 3,
        *[True] * 3,
    ]


@pytest.mark.parametrize(
    ("reader", "reason"), [("extractive", "quotations"), ("remote", "endpoint")]
)
def test_readers_without_the_dial_say_so(reader: str, reason: str, tmp_path: Path) -> None:
    given = {"answering.reader": reader, "answering.reliance": "auto"}
    given["models.remote_url"] = "http://127.0.0.1:9/v1"
    given["models.remote_model"] = "some"
    workspace = Workspace(load_settings(given, home=tmp_path, environ={}))
    with pytest.raises(UsageError, match=reason) as caught:
        choose_reader(workspace)
    assert "answering.reliance" in caught.value.remedy
    off = {**given, "answering.reliance": "off"}
    reader_off = choose_reader(Workspace(load_settings(off, home=tmp_path, environ={})))
    assert reader_off.kind == reader or isinstance(reader_off, ModelReader)
