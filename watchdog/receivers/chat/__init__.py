"""Chats: Discord, Teams, Mattermost, Rocket.Chat, Telegram and ntfy; each kind in one file."""
