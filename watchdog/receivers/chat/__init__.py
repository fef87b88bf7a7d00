"""Chats: Discord, Teams, Telegram and ntfy; each kind in one file."""
