package crm

import (
	"context"
	"errors"
	"fmt"

	"chatcast/models"
)

// EventChatState tells how the phone of a line's account arranges a chat.
const EventChatState = "chatState"

// ChatState is how the phone of a line's account arranges a chat.
type ChatState struct {
	Archived bool `json:"archived"`
	Pinned   bool `json:"pinned"`
	Unread   bool `json:"unread"` // it is marked as unread, whatever was read
	// MutedUntil is until when new messages make no sound, unix seconds; null: they do;
	// -1: never.
	MutedUntil *int64 `json:"mutedUntil"`
}

// ChatStateItem is the item of chatState.
type ChatStateItem struct {
	Chat    ChatRef   `json:"chat"`
	State   ChatState `json:"state"` // afterwards
	FromApp *AppRef   `json:"fromApp"`
	Edited  *IDRef    `json:"edited"` // null: the account's owner did it on the phone
}

// ChatStateChanges are changes of a ChatState. Absent fields stay as they are.
type ChatStateChanges struct {
	Archived   Field[bool]  `json:"archived"` // true unpins it, too
	Pinned     Field[bool]  `json:"pinned"`
	Unread     Field[bool]  `json:"unread"`
	MutedUntil Field[int64] `json:"mutedUntil"`
}

// MutedForEver is the MutedUntil of a chat that is muted without an end.
const MutedForEver = -1

// maxMute is for how long a chat may be muted with an end, in seconds.
const maxMute = 10 * 366 * 24 * 60 * 60

// ChatPlace is a chat as its messenger has to know it for a change of its state.
type ChatPlace struct {
	ChatID string
	LID    string // the private chat's other id; empty: not known
	Last   *LastRef
}

// LastRef is the last message of a chat.
type LastRef struct {
	ID       string
	FromMe   bool
	AuthorID string
	Time     int64 // unix seconds
}

// ChatStateMessenger is a Messenger whose phones arrange chats.
type ChatStateMessenger interface {
	Messenger
	// SetChatState makes the one change that ch has.
	SetChatState(ctx context.Context, l Line, at ChatPlace, ch ChatStateChanges) error
}

func (ch *ChatStateChanges) check(now int64) error {
	var mute error
	if n := ch.MutedUntil.Value; ch.MutedUntil.Set && !ch.MutedUntil.Null && n != MutedForEver && (n <= now || n > now+maxMute) {
		mute = Invalid("mutedUntil", "must be a time to come, in unix seconds, -1, or null")
	}
	return allViolations(ch.Archived.notNull("archived"), ch.Pinned.notNull("pinned"), ch.Unread.notNull("unread"), mute)
}

// single returns each change alone.
func (ch ChatStateChanges) single() (all []ChatStateChanges) {
	if ch.Archived.Set {
		all = append(all, ChatStateChanges{Archived: ch.Archived})
	}
	if ch.Pinned.Set {
		all = append(all, ChatStateChanges{Pinned: ch.Pinned})
	}
	if ch.Unread.Set {
		all = append(all, ChatStateChanges{Unread: ch.Unread})
	}
	if ch.MutedUntil.Set {
		all = append(all, ChatStateChanges{MutedUntil: ch.MutedUntil})
	}
	return all
}

// apply changes the row of a chat, and reports whether that is new.
func (ch ChatStateChanges) apply(chat *models.Chat) bool {
	before := *chat
	into(&chat.Archived, ch.Archived)
	if ch.Archived.Set && chat.Archived { // as phones do
		chat.Pinned = false
	}
	into(&chat.Pinned, ch.Pinned)
	into(&chat.MarkedUnread, ch.Unread)
	if ch.MutedUntil.Set {
		chat.MutedUntil = ch.MutedUntil.Value // 0 for null
	}
	return before.Archived != chat.Archived || before.Pinned != chat.Pinned || before.MarkedUnread != chat.MarkedUnread || before.MutedUntil != chat.MutedUntil
}

// chatState returns the state of a chat at a time in unix seconds.
func chatState(chat *models.Chat, now int64) ChatState {
	s := ChatState{Archived: chat.Archived, Pinned: chat.Pinned, Unread: chat.MarkedUnread}
	if n := chat.MutedUntil; n == MutedForEver || n > now {
		s.MutedUntil = &n
	}
	return s
}

// ChangeChatState changes how the phone of the line's account arranges a chat, one thing
// after the other. When one is refused, those before it stay changed.
func (s *Service) ChangeChatState(ctx context.Context, a Actor, at ChatAddress, ch ChatStateChanges) (data ChatData, err error) {
	to, place, err := s.chatPlace(ctx, a, at)
	if err != nil {
		return data, err
	}
	if err := ch.check(s.Now().Unix()); err != nil {
		return data, err
	}
	for _, one := range ch.single() {
		if err := to.SetChatState(asking(ctx, a), at.Line, place, one); err != nil {
			return data, err
		}
		// It is recorded although the client has gone meanwhile, because it was done.
		err := s.changeWithRetry(context.WithoutCancel(ctx), func(c *change) error {
			chat, err := c.tx.LockChat(at.LicenseID, at.Messenger, place.ChatID)
			if errors.Is(err, models.ErrNotFound) { // joined with another meanwhile, which the phone tells
				return nil
			}
			if err != nil {
				return err
			}
			return c.arrange(a, chat, one)
		})
		if err != nil {
			return data, err
		}
	}
	return s.Chat(ctx, a, at)
}

// chatPlace authorises the actor on the chat, and returns what changes its state.
func (s *Service) chatPlace(ctx context.Context, a Actor, at ChatAddress) (to ChatStateMessenger, place ChatPlace, err error) {
	tx := s.Store.Read(ctx)
	l, err := s.line(tx, a, at.LicenseID, at.Messenger, write)
	if err != nil {
		return nil, place, err
	}
	chat, err := l.seenChat(tx, a, at.ChatID)
	if err != nil {
		return nil, place, err
	}
	connector, err := s.messenger(at.Messenger)
	if err != nil {
		return nil, place, err
	}
	to, ok := connector.(ChatStateMessenger)
	if !ok || !IsWhatsApp(at.Messenger) {
		return nil, place, conflict("lines of this type have no phone that could arrange chats")
	}
	if err := mayWrite(chat); err != nil {
		return nil, place, err
	}
	place = ChatPlace{ChatID: chat.ExternalID, LID: deref(chat.LID)}
	rows, err := tx.LastMessages([]int64{chat.ID})
	if err != nil {
		return nil, place, err
	}
	if row := rows[chat.ID]; row != nil {
		author, err := (renderer{line: at.Line}).author(row)
		if err != nil {
			return nil, place, err
		}
		place.Last = &LastRef{ID: row.ExternalID, FromMe: row.FromMe, AuthorID: author.ID.String(), Time: row.Time}
	}
	return to, place, nil
}

// arrange applies changes of the state of a locked chat. It emits an event only when that
// is new.
func (c *change) arrange(a Actor, chat *models.Chat, ch ChatStateChanges) error {
	if !ch.apply(chat) {
		return nil
	}
	if err := c.tx.SaveChat(chat); err != nil {
		return err
	}
	return c.emitChat(chat, EventChatState, ChatStateItem{
		Chat: ChatRef{chat.ExternalID}, State: chatState(chat, c.now.Unix()), FromApp: a.fromApp(), Edited: a.edited(),
	})
}

// InboundChatState states that the account's owner arranged a chat on the phone.
type InboundChatState struct {
	Chat    InboundChat
	Changes ChatStateChanges
}

type chatStateArrival struct {
	chat    inboundChat
	changes ChatStateChanges
}

func (in InboundChatState) check(messenger string, i int) (st chatStateArrival, err error) {
	at := fmt.Sprintf("states[%d].", i)
	chat, err := in.Chat.check(messenger, at+"chat.")
	if n := in.Changes.MutedUntil.Value; n < MutedForEver {
		err = allViolations(err, Invalid(at+"mutedUntil", "must be unix seconds, or -1"))
	}
	return chatStateArrival{chat, in.Changes}, err
}

// applyState applies what the phone says about a chat.
func (c *change) applyState(chats *chatSet, st *chatStateArrival) (string, error) {
	chat := chats.find(st.chat)
	if chat == nil {
		return ResultUnknown, nil
	}
	probe := *chat
	if !st.changes.apply(&probe) {
		return ResultUnchanged, nil
	}
	return ResultAccepted, c.arrange(Actor{}, chat, st.changes)
}
