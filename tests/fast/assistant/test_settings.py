"""Settings: four layers, one error for anything that is not a setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import StorageError, UnknownNameError, UsageError
from assistant.settings import known_keys, load_settings, save_settings


def test_later_layers_win(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[retrieval]\ndepth = 11\npassages = 12\n")
    environ = {"ASSISTANT_RETRIEVAL__PASSAGES": "13", "ASSISTANT_HOME": "elsewhere"}
    settings = load_settings({"app.port": 9000}, home=tmp_path, environ=environ)
    assert settings.retrieval.depth == 11
    assert settings.retrieval.passages == 13
    assert settings.app.port == 9000
    assert settings.home == tmp_path


@pytest.mark.parametrize("place", ["file", "environment", "flag"])
def test_unknown_key_names_the_nearest(tmp_path: Path, place: str) -> None:
    if place == "file":
        (tmp_path / "config.toml").write_text("[retrieval]\ndepht = 11\n")
    environ = {"ASSISTANT_RETRIEVAL__DEPHT": "1"} if place == "environment" else {}
    flags = {"retrieval.depht": 1} if place == "flag" else {}
    with pytest.raises(UnknownNameError) as caught:
        load_settings(flags, home=tmp_path, environ=environ)
    assert caught.value.nearest == "retrieval.depth"
    assert "retrieval.depth" in str(caught.value)


def test_value_out_of_range_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"retrieval\.depth"):
        load_settings({"retrieval.depth": 0}, home=tmp_path, environ={})


def test_broken_file_says_which(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("retrieval = [")
    with pytest.raises(UsageError, match=r"config\.toml"):
        load_settings(home=tmp_path, environ={})


def test_save_merges_and_refuses_before_writing(tmp_path: Path) -> None:
    save_settings(tmp_path, {"retrieval.depth": 40})
    save_settings(tmp_path, {"app.port": 9001})
    with pytest.raises(UsageError):
        save_settings(tmp_path, {"app.port": 10**9})
    settings = load_settings(home=tmp_path, environ={})
    assert (settings.retrieval.depth, settings.app.port) == (40, 9001)


def test_saving_none_returns_to_the_default(tmp_path: Path) -> None:
    default = load_settings(home=tmp_path, environ={}).retrieval.depth
    save_settings(tmp_path, {"retrieval.depth": 40})
    assert save_settings(tmp_path, {"retrieval.depth": None}).retrieval.depth == default


def test_unwritable_home_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError):
        save_settings(tmp_path / "file", {"app.port": 9001})


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=60))
def test_any_text_survives_the_file(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    home = tmp_path_factory.mktemp("home")
    save_settings(home, {"models.remote_model": value})
    assert load_settings(home=home, environ={}).models.remote_model == value


def test_every_setting_is_described() -> None:
    undescribed = [
        key
        for key, section in known_keys().items()
        if not section.model_fields[key.split(".")[-1]].description
    ]
    assert undescribed == []
