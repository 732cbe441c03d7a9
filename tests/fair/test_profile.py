"""Profiles: every value is checked as its registry defines it, kept as TOML, and never in the way of a run."""

import string
import tomllib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from qlab import profile
from qlab.cli.app import app
from qlab.errors import FileError, UsageError
from qlab.profile import Profile, identifiers
from qlab.provenance import profile_in_use
from qlab.settings import config_folder

# Published iDs: three of ORCID's own documentation, and the RORs of DataCite, CDL, CERN and MIT.
ORCIDS = ("0000-0002-1825-0097", "0000-0001-5109-3700", "0000-0002-1694-233X")
RORS = ("04wxnsj81", "03yrm5c26", "01ggx4157", "042nb2s44")


@pytest.mark.parametrize("known", ORCIDS)
def test_an_orcid_is_taken_and_any_other_last_digit_refused(known):
    assert identifiers.orcid(known) == f"https://orcid.org/{known}"
    for digit in "0123456789X":
        if digit != known[-1]:
            with pytest.raises(UsageError, match="last digit"):
                identifiers.orcid(known[:-1] + digit)


@pytest.mark.parametrize("known", RORS)
def test_a_ror_is_taken_and_any_single_change_refused(known):
    assert identifiers.ror(known) == f"https://ror.org/{known}"
    for place in range(1, 7):
        other = "a" if known[place] != "a" else "b"
        with pytest.raises(UsageError, match="ROR"):
            identifiers.ror(known[:place] + other + known[place + 1 :])


@pytest.mark.parametrize(
    ("key", "value", "part"),
    [
        ("orcid", "Marguerite", "0000-0002-1825-0097"),
        ("license", "CC BY", "Did you mean"),
        ("license", "all mine", "LicenseRef"),
        ("embargo", "next year", "2027-06-30"),
        ("access", "secret", "embargoed"),
        ("sample.identifier", "the small one", "IGSN"),
        ("related.identifier", "10.5072/test", "for tests"),
        ("funding.funder_id", "EU", "ROR"),
        ("orcd", "x", "Did you mean 'orcid'"),
        ("funding.3.number", "1", "Fill number 0 first"),
    ],
)
def test_a_bad_value_is_refused_with_what_to_do(key, value, part):
    with pytest.raises(UsageError, match=part):
        profile.changed(Profile(), key, value)


def test_what_was_typed_comes_back_from_the_file(filled):
    again = profile.load()
    assert again == filled
    raw = tomllib.loads((config_folder() / "profiles" / "default.toml").read_text())
    assert raw["funding"][0]["number"] == "101012345"
    assert again.access == "embargoed"  # an embargo says so by itself
    assert again.license == "CC-BY-4.0"
    assert again.consent
    assert list(profile.faults(again)) == []
    nameless = profile.changed(profile.changed(again, "name", ""), "orcid", "")
    assert not nameless.personal
    assert nameless.consent == ""


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(st.characters(blacklist_categories=["Cs"]), max_size=60))
def test_any_text_survives_the_file(text):
    made = profile.changed(Profile(pseudonym="p"), "sample.description", text)
    profile.save(made, "fuzz")
    assert profile.load("fuzz") == made
    assert all(c.isprintable() for c in made.sample.description)


def test_second_grants_and_clearing():
    made = profile.changed(Profile(), "funding.funder", "A")
    made = profile.changed(made, "funding.2.funder", "B")
    assert [award.funder for award in made.funding] == ["A", "B"]
    made = profile.changed(made, "funding.1.funder", "")
    assert [award.funder for award in made.funding] == ["B"]


def test_profiles_by_name_on_the_command_line():
    run = CliRunner().invoke
    assert run(app, ["profile", "set", "license", "CC0-1.0"]).exit_code == 0
    assert run(app, ["profile", "new", "second", "--copy", "default"]).exit_code == 0
    assert profile.active() == "second"
    assert profile.load().license == "CC0-1.0"
    assert run(app, ["profile", "use", "default"]).exit_code == 0
    shown = run(app, ["profile", "show"]).output
    assert "CC0-1.0" in shown
    assert "missing: creator" in shown
    assert run(app, ["profile", "list"]).output.split() == ["*", "default", "second"]
    with pytest.raises(UsageError, match="no profile 'third'"):
        profile.use("third")
    with pytest.raises(UsageError, match="cannot be the name"):
        profile.create("../up")


def test_a_damaged_profile_is_named_but_stops_no_run():
    folder = config_folder() / "profiles"
    folder.mkdir(parents=True)
    for text in ("orcid = '0000-0002-1825-0098'", "name = [", "license = 'mine'", "\0"):
        (folder / "default.toml").write_text(text)
        with pytest.raises(FileError, match=r"default\.toml"):
            profile.load()
        assert profile_in_use().pseudonym.startswith("operator-")


def test_the_pseudonym_is_random_and_stays():
    first = profile.load().pseudonym
    assert first.startswith("operator-")
    assert set(first.removeprefix("operator-")) <= set(string.hexdigits)
    assert profile.load().pseudonym == first
