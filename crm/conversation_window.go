package crm

import (
	"chatcast/models"
)

// windowLength is how long a conversation window is open, in seconds.
const windowLength = 24 * 60 * 60

// openWindow opens a new conversation window with the message and says whether
// it did. Only WhatsApp has windows, and only with a customer, not in groups. A message inside the window, or older than
// it, opens none. A message that arrives late opens the window of its own time,
// whose end says that it is over: the window is WhatsApp's, not ours, and began
// when the message was sent.
func openWindow(chat *models.Chat, m *models.Message) bool {
	if !IsWhatsApp(chat.MessengerType) || chat.Type == models.ChatGroup {
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

// emitWindow tells of the chat's window.
func (c *change) emitWindow(chat *models.Chat) error {
	return c.emitChat(chat, EventChatConversation, ChatConversationItem{
		Conversation: ConversationData{ID: *chat.WindowID, Type: *chat.WindowType, StartTime: *chat.WindowStart, EndTime: *chat.WindowEnd},
		Chat:         ChatRef{ID: chat.ExternalID},
	})
}
