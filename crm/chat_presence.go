package crm

import (
	"context"
	"encoding/json"
	"errors"

	"chatcast/models"
)

// Types of chatPresence.
const (
	PresenceTyping    = "typing"
	PresenceRecording = "recording"
	PresencePaused    = "paused"
)

// PublishPresence tells the connected users who may see the chat that a person outside
// is typing, is recording or has stopped. The event is not stored. PublishPresence
// creates no chat; an unknown chat is a no-op.
func (s *Service) PublishPresence(ctx context.Context, on Line, in InboundChat, by InboundUser, typ string) error {
	if typ != PresenceTyping && typ != PresenceRecording && typ != PresencePaused {
		return Invalid("type", "must be typing, recording or paused")
	}
	at, err := in.check(on.Messenger, "chat.")
	if err != nil {
		return err
	}
	author, _, err := by.check(on.Messenger, "fromUser.", false)
	if err != nil {
		return err
	}
	tx := s.Store.Read(ctx)
	var chat *models.Chat
	for _, id := range at.ids() {
		if chat, err = tx.ChatByExternal(on.LicenseID, on.Messenger, id); !errors.Is(err, models.ErrNotFound) {
			break
		}
	}
	if errors.Is(err, models.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if author.Name == "" {
		k, err := tx.ContactByAlias(on.LicenseID, on.Messenger, author.ID.String())
		if err == nil {
			author.Name = k.Name
		} else if !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	c := &change{tx: tx}
	item := ChatPresenceItem{Type: typ, Chat: ChatRef{chat.ExternalID}, FromUser: author, Time: s.Now().Unix()}
	if err := c.emitChat(chat, EventChatPresence, item); err != nil {
		return err
	}
	return s.publishLive(c.events)
}

// publishLive sends events that must not be journalled to the current subscribers.
func (s *Service) publishLive(events []Event) error {
	for _, ev := range events {
		data, err := json.Marshal(envelope{Payload: payload{Data: ev.Items, Meta: ev.Meta}})
		if err != nil {
			return err
		}
		s.Live.Publish(ev.Channels, ev.Name, string(data))
	}
	return nil
}

// Kinds of typing.
const (
	TypingText  = "text"
	TypingVoice = "voice"
)

// Typing shows the other side that we are writing or recording. Nobody else is
// notified, and the notice may be lost.
func (s *Service) Typing(ctx context.Context, a Actor, at ChatAddress, kind string) error {
	if kind != TypingText && kind != TypingVoice {
		return Invalid("type", "must be text or voice")
	}
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, write)
	if err != nil {
		return err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return err
	}
	return connector.Typing(ctx, at.Line, chat.ExternalID, kind)
}
