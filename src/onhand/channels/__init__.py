"""Channels: the shop fronts that sell from our sites, and what each keeps back as a buffer."""

from onhand.channels.actions import change_channel, create_channel, set_buffer
from onhand.channels.events import ChannelChanged
from onhand.channels.model import (
    Channel,
    ChannelCodeTaken,
    ChannelSellsElsewhere,
    UnknownChannel,
    buffer_units,
)
from onhand.channels.reads import buffers_of, find_channel, get_channel, list_buffers, list_channels

__all__ = [
    "Channel",
    "ChannelChanged",
    "ChannelCodeTaken",
    "ChannelSellsElsewhere",
    "UnknownChannel",
    "buffer_units",
    "buffers_of",
    "change_channel",
    "create_channel",
    "find_channel",
    "get_channel",
    "list_buffers",
    "list_channels",
    "set_buffer",
]
