package whatsapp

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// WhatsApp tells who is typing only to who is shown as online, and in private chats
// to who has opened the chat, which is a subscription. So an account is online while
// somebody writes through it, as a person would be, and no longer; and it subscribes
// to the chats that it writes in, once for a connection, and to few of them.
const (
	maxWatched  = 100             // chats subscribed to on one connection
	typingPause = 2 * time.Second // the same word of the same person is not told again
	maxTyping   = 1000            // people whose last word is remembered
)

// attention is how the account is shown, on one connection.
type attention struct {
	mu      sync.Mutex
	cli     *whatsmeow.Client  // guarded by mu: what follows is of its connection
	online  bool               // guarded by mu: it is shown as online
	until   time.Time          // guarded by mu: so long
	watched map[types.JID]bool // guarded by mu

	lastTyping map[string]typing // guarded by mu: who said what last
}

type typing struct {
	what string
	at   time.Time
}

// attend shows the account as online for a while, because somebody writes in the
// chat. What WhatsApp does not take is lost: presence is no promise.
func (s *session) attend(ctx context.Context, cli *whatsmeow.Client, chat types.JID) error {
	if s.ownName() == "" { // it is sent along; whatsmeow is writing it now, or will be
		return whatsmeow.ErrNoPushName
	}
	a := &s.attention
	a.mu.Lock()
	if a.cli != cli {
		a.cli, a.online, a.watched = cli, false, map[types.JID]bool{}
	}
	come := !a.online
	a.online, a.until = true, time.Now().Add(s.m.times.online)
	watch := chat.Server != types.GroupServer && !a.watched[chat] && len(a.watched) < maxWatched
	if watch {
		a.watched[chat] = true
	}
	a.mu.Unlock()
	if come {
		if err := cli.SendPresence(ctx, types.PresenceAvailable); err != nil {
			a.cancel(cli, chat)
			return err
		}
		s.helpers.Go(func() { s.leave(cli) })
	}
	if watch {
		return cli.SubscribePresence(ctx, chat)
	}
	return nil
}

// leave shows the account as away again when nobody has written for a while.
func (s *session) leave(cli *whatsmeow.Client) {
	a, ctx := &s.attention, cli.BackgroundEventCtx
	for {
		a.mu.Lock()
		left := time.Until(a.until)
		if a.cli != cli {
			a.mu.Unlock()
			return
		}
		if left <= 0 {
			a.online = false
		}
		a.mu.Unlock()
		if left <= 0 {
			break
		}
		if wait(ctx, left) != nil {
			return // with its connection
		}
	}
	s.present(ctx, cli) // as it is by now: somebody may have begun to write again
}

// cancel undoes attend.
func (a *attention) cancel(cli *whatsmeow.Client, chat types.JID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.cli == cli {
		a.online = false
		delete(a.watched, chat)
	}
}

// present makes WhatsApp know the account's name; being shown as online is for
// who writes.
func (s *session) present(ctx context.Context, cli *whatsmeow.Client) {
	if s.ownName() == "" {
		return // comes with the account's settings
	}
	shown := types.PresenceUnavailable
	s.attention.mu.Lock()
	if s.attention.cli == cli && s.attention.online {
		shown = types.PresenceAvailable
	}
	s.attention.mu.Unlock()
	if err := cli.SendPresence(ctx, shown); err != nil {
		s.log.Debug("presence was not sent", "error", err)
	}
}

// typing brings that somebody outside is typing to who looks at the chat. It is
// kept nowhere, and is not tried again.
func (s *session) typing(ctx context.Context, cli *whatsmeow.Client, e *events.ChatPresence) {
	if e.IsFromMe || e.Chat.User == "" || chatID(e.Chat) == "" || chatID(e.Sender) == "" {
		return
	}
	what := crm.PresencePaused
	if e.State == types.ChatPresenceComposing {
		what = crm.PresenceTyping
		if e.Media == types.ChatPresenceMediaAudio {
			what = crm.PresenceRecording
		}
	}
	if !s.attention.news(e.Chat.ToNonAD().String()+" "+e.Sender.ToNonAD().String(), what, time.Now()) {
		return
	}
	who := s.person(ctx, cli, e.Sender, e.SenderAlt)
	chat := who.chat()
	if e.Chat.Server == types.GroupServer {
		chat = crm.InboundChat{ID: content.ID(chatID(e.Chat)), Type: "group"}
	}
	by := crm.InboundUser{ID: content.ID(who.id()), Phone: phoneOf(who.PN)}
	if err := s.m.rules.PublishPresence(ctx, s.on, chat, by, what); err != nil {
		s.log.Info("a typing notification could not be published", "error", err)
	}
}

// news says whether that is new, or long enough ago to be told again: whoever types
// says so all the time.
func (a *attention) news(who, what string, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	last, known := a.lastTyping[who]
	if known && last.what == what && now.Sub(last.at) < typingPause {
		return false
	}
	if a.lastTyping == nil || len(a.lastTyping) >= maxTyping {
		a.lastTyping = map[string]typing{}
	}
	a.lastTyping[who] = typing{what, now}
	return true
}

// Typing implements crm.Messenger.
func (m *Messenger) Typing(ctx context.Context, l crm.Line, chat, kind string) error {
	s, cli, err := m.online(ctx, l)
	if err != nil || cli == nil {
		return err
	}
	to, err := jidOf(chat)
	if err != nil {
		return err
	}
	shown := types.ChatPresenceMediaText
	if kind == crm.TypingVoice {
		shown = types.ChatPresenceMediaAudio
	}
	if err := s.attend(ctx, cli, to); err != nil && !errors.Is(err, whatsmeow.ErrNoPushName) {
		return crm.Unavailable("WhatsApp did not take it: the connection is being renewed")
	}
	if err := cli.SendChatPresence(ctx, to, types.ChatPresenceComposing, shown); err != nil {
		return crm.Unavailable("WhatsApp did not take it: the connection is being renewed")
	}
	return nil
}
