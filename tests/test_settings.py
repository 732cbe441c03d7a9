"""Settings heal: nothing in the file can stop the start."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qlab.settings import Settings, config_folder, load_settings, save_settings

JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from([*Settings.model_fields, "unknown"])


def write(text):
    config_folder().mkdir(parents=True, exist_ok=True)
    (config_folder() / "settings.json").write_bytes(text)


def test_what_is_saved_comes_back():
    save_settings(Settings(theme="dark", text_size=120, unknown_key=3))
    loaded, healed = load_settings()
    assert (loaded.theme, loaded.text_size, healed) == ("dark", 120, [])
    assert loaded.model_extra == {"unknown_key": 3}


def test_only_the_damaged_setting_falls_back():
    write(json.dumps({"theme": "dark", "text_size": "huge"}).encode())
    loaded, healed = load_settings()
    assert (loaded.theme, loaded.text_size) == ("dark", 100)
    assert len(healed) == 1
    assert "text_size" in healed[0]


def test_a_file_that_is_no_json_is_set_aside():
    write(b"{not json")
    _, healed = load_settings()
    assert "could not be read" in healed[0]
    assert (config_folder() / "settings.damaged.json").exists()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=50), st.dictionaries(NAMES, JSON).map(lambda d: json.dumps(d).encode())))
def test_no_file_stops_the_start(text):
    write(text)
    loaded, _ = load_settings()
    assert isinstance(loaded.text_size, int)
    save_settings(loaded)
    assert load_settings()[1] == []
