package crm

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"chatcast/channels"
	"chatcast/models"
)

// Types of chatPresence.
const (
	PresenceTyping    = "typing"
	PresenceRecording = "recording"
	PresencePaused    = "paused"
	PresenceOnline    = "online"
	PresenceOffline   = "offline"
)

// Presence is what a person outside does in a chat, or that they are there at all.
type Presence struct {
	Chat InboundChat
	By   InboundUser
	Type string
	// LastSeen is when the person was there last, unix seconds: only of PresenceOffline;
	// nil: not known, or hidden.
	LastSeen *int64
}

// presenceTypes are the types of Presence.
var presenceTypes = []string{PresenceTyping, PresenceRecording, PresencePaused, PresenceOnline, PresenceOffline}

func (p *Presence) check() error {
	if !slices.Contains(presenceTypes, p.Type) {
		return Invalid("type", "must be one of %s", strings.Join(presenceTypes, ", "))
	}
	if p.LastSeen != nil && (*p.LastSeen < 0 || p.Type != PresenceOffline) {
		return Invalid("lastSeen", "must be unix seconds of somebody who is offline")
	}
	return nil
}

// PublishPresence tells the connected users who may see the chat that a person outside
// is typing, is recording or has stopped, or has come or gone. The event is not stored.
// PublishPresence creates no chat; an unknown chat is a no-op.
func (s *Service) PublishPresence(ctx context.Context, on Line, p Presence) error {
	if err := p.check(); err != nil {
		return err
	}
	at, err := p.Chat.check(on.Messenger, "chat.")
	if err != nil {
		return err
	}
	author, _, err := p.By.check(on.Messenger, "fromUser.", false)
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
	var contact *models.Contact
	if author.Name == "" {
		contact, err = tx.ContactByAlias(on.LicenseID, on.Messenger, author.ID.String())
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return err
		}
	}
	c := &change{tx: tx}
	item := ChatPresenceItem{Type: p.Type, Chat: ChatRef{chat.ExternalID}, FromUser: author, LastSeen: p.LastSeen, Time: s.Now().Unix()}
	ev, err := c.chatEvent(chat, EventChatPresence, item)
	if err != nil || contact == nil {
		return errors.Join(err, s.publishLive([]Event{ev}))
	}
	named := ev
	if named.Channels, ev.Channels, err = c.whoSees(contact, chat, ev.Channels); err != nil {
		return err
	}
	item.FromUser.Name = contact.Name
	named.Items = []any{item}
	return s.publishLive([]Event{named, ev})
}

// whoSees divides the channels of a chat's event into those of users who see the contact, a
// person in the chat, and those of the others: operators who see only their own chats.
func (c *change) whoSees(k *models.Contact, chat *models.Chat, names []string) (see, others []string, err error) {
	if chat.Type == models.ChatPrivate {
		return names, nil, nil
	}
	viewers, err := c.tx.Viewers(chat.LicenseID)
	if err != nil {
		return nil, nil, err
	}
	for _, v := range viewers {
		if !v.OnlyMine {
			continue
		}
		f := models.ContactFilter{ViewerID: v.UserID, LicenseID: chat.LicenseID, MessengerType: chat.MessengerType, OnlyVisible: true}
		seen, err := c.tx.ContactNames(f, []string{k.ExternalID})
		if err != nil {
			return nil, nil, err
		}
		if name := channels.CompanyUserName(chat.CompanyID, v.UserID); len(seen) == 0 && slices.Contains(names, name) {
			others = append(others, name)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(others, name) }), others, nil
}

// publishLive sends events that must not be journalled to the current subscribers.
func (s *Service) publishLive(events []Event) error {
	for _, ev := range events {
		if len(ev.Channels) == 0 {
			continue
		}
		data, err := json.Marshal(envelope{Payload: payload{Data: ev.Items, Meta: ev.Meta}})
		if err != nil {
			return err
		}
		s.Live.Publish(channels.WithCompanyLines(ev.CompanyID, ev.Channels), ev.Name, string(data))
		s.postLive(ev, string(data))
	}
	return nil
}

// Kinds of typing.
const (
	TypingText   = "text"
	TypingVoice  = "voice"
	TypingPaused = "paused" // no longer
)

// Typing shows the other side that we are writing or recording, or do so no longer. Nobody
// else is notified, and the notice may be lost. Strangers are shown nothing.
func (s *Service) Typing(ctx context.Context, a Actor, at ChatAddress, kind string) error {
	if kind != TypingText && kind != TypingVoice && kind != TypingPaused {
		return Invalid("type", "must be text, voice or paused")
	}
	connector, err := s.connected(ctx, a, at.Line)
	if err != nil {
		return err
	}
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, send)
	if err != nil {
		return err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return err
	}
	if err := mayWrite(chat); err != nil {
		return err
	}
	if stranger, err := s.stranger(tx, at.Line, chat); stranger || err != nil {
		return err
	}
	return connector.Typing(ctx, at.Line, chat.ExternalID, kind)
}
