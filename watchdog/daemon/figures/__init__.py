"""Figures over time that go along with messages: half an hour as a line of text, hours as a chart."""
