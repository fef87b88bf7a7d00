"""Pictures beside messages: the chart of a figure, drawn as the message is sent."""
