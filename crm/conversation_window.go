package crm

import (
	"chatcast/models"
)

// windowLength is how long a conversation window is open, in seconds.
const windowLength = 24 * 60 * 60

// openWindow opens a new conversation window with the message and reports whether it
// did. Only WhatsApp has windows, and only in private chats. A message inside the
// window, or older than it, opens none. A message that arrives late opens the window
// of its own time, which may have ended already: WhatsApp's window begins when the
// message is sent.
func openWindow(chat *models.Chat, m *models.Message) bool {
	if !IsWhatsApp(chat.MessengerType) || chat.Type != models.ChatPrivate {
		return false
	}
	if chat.WindowEnd != nil && m.Time < *chat.WindowEnd {
		return false
	}
	id, typ, start, end := randomHex(16), WindowUIC, m.Time, m.Time+windowLength
	if m.FromMe {
		typ = WindowBIC
	}
	chat.WindowID, chat.WindowType, chat.WindowStart, chat.WindowEnd = &id, &typ, &start, &end
	return true
}

// emitWindow emits the event about the chat's window.
func (c *change) emitWindow(chat *models.Chat) error {
	return c.emitChat(chat, EventChatConversation, ChatConversationItem{
		Conversation: ConversationData{ID: *chat.WindowID, Type: *chat.WindowType, StartTime: *chat.WindowStart, EndTime: *chat.WindowEnd},
		Chat:         ChatRef{ID: chat.ExternalID},
	})
}
