"""The parameter form, generated from a catalogue entry."""
