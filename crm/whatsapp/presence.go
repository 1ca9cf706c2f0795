package whatsapp

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.mau.fi/whatsmeow"
	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

// WhatsApp sends typing notifications only to accounts that are shown as online, and in
// private chats only to accounts that subscribed to the chat. So an account is online
// only while somebody writes through it, as a person would be. It subscribes to the
// chats that it writes in, once for each connection, and at most to maxWatched of them.
const (
	maxWatched  = 100             // chats subscribed to on one connection
	typingPause = 2 * time.Second // within it, the same state of the same person is not sent again
	maxTyping   = 1000            // people whose last state is remembered
)

// attention holds how the account is shown on one connection, and who is typing.
type attention struct {
	mu      sync.Mutex
	always  bool               // guarded by mu: it is online also while nobody writes; on all connections
	cli     *whatsmeow.Client  // guarded by mu: the next three fields are for its connection
	online  bool               // guarded by mu: the account is shown as online
	until   time.Time          // guarded by mu: when online ends
	watched map[types.JID]bool // guarded by mu: the chats subscribed to

	lastTyping map[string]typing // guarded by mu: the last state of each person
}

type typing struct {
	what string
	at   time.Time
}

// attend shows the account as online for a while, because somebody writes in the chat.
// It does not retry: presence is not guaranteed.
func (s *session) attend(ctx context.Context, cli *whatsmeow.Client, chat types.JID) error {
	if s.ownName() == "" { // presence contains the name; whatsmeow is writing it now, or will be
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
		if err := s.sendPresence(ctx, cli, types.PresenceAvailable); err != nil {
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
			return // the connection is over
		}
	}
	s.present(ctx, cli) // with the current state: somebody may have begun to write again
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

// alwaysOnline reports whether the line is set to be shown as online while it is connected.
func (s *session) alwaysOnline() bool {
	a := s.account.Load()
	return a != nil && a.AlwaysOnline
}

// present sends the account's name to WhatsApp. It shows the account as online only
// while somebody writes.
func (s *session) present(ctx context.Context, cli *whatsmeow.Client) {
	if s.ownName() == "" {
		return // called again when the settings with the name arrive
	}
	shown := types.PresenceUnavailable
	s.attention.mu.Lock()
	if s.attention.always || s.alwaysOnline() || s.attention.cli == cli && s.attention.online {
		shown = types.PresenceAvailable
	}
	s.attention.mu.Unlock()
	if err := s.sendPresence(ctx, cli, shown); err != nil {
		s.log.Debug("presence was not sent", "error", err)
	}
}

// sendPresence does what SendPresence of whatsmeow does, with the name that the session holds:
// whatsmeow reads its own without a lock, and writes it when it reads the account's settings.
func (s *session) sendPresence(ctx context.Context, cli *whatsmeow.Client, shown types.Presence) error {
	name := s.ownName()
	if name == "" {
		return whatsmeow.ErrNoPushName
	}
	//lint:ignore SA1019 whatsmeow exports no other way to send a node of one's own
	available, in := shown == types.PresenceAvailable, cli.DangerousInternals()
	if available {
		go in.SendUnifiedSession()
	}
	cli.SetForceActiveDeliveryReceipts(available)
	return in.SendNode(ctx, waBinary.Node{Tag: "presence", Attrs: waBinary.Attrs{"type": string(shown), "name": name}})
}

// typing publishes that a person is typing to those who look at the chat. It is not
// stored and not retried.
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
	s.publishPresence(ctx, who, crm.Presence{Chat: chat, Type: what})
}

func (s *session) publishPresence(ctx context.Context, who pair, p crm.Presence) {
	p.By = crm.InboundUser{ID: content.ID(who.id()), Phone: phoneOf(who.PN), LID: who.lid()}
	if err := s.m.rules.PublishPresence(ctx, s.on, p); err != nil {
		s.log.Info("the presence of a person could not be published", "type", p.Type, "error", err)
	}
}

// cameOrWent publishes that a person has come online or gone. WhatsApp tells it of those whom
// the account has subscribed to, and only while the account is online itself. Like typing, it
// is not stored and not retried.
func (s *session) cameOrWent(ctx context.Context, cli *whatsmeow.Client, e *events.Presence) {
	if e.From.User == "" || chatID(e.From) == "" || e.From.Server == types.GroupServer {
		return
	}
	p := crm.Presence{Type: crm.PresenceOnline}
	if e.Unavailable {
		p.Type = crm.PresenceOffline
		if !e.LastSeen.IsZero() && e.LastSeen.Unix() > 0 {
			p.LastSeen = new(e.LastSeen.Unix())
		}
	}
	if !s.attention.news("online "+e.From.ToNonAD().String(), p.Type, time.Now()) {
		return
	}
	who := s.person(ctx, cli, e.From, types.EmptyJID)
	p.Chat = who.chat()
	s.publishPresence(ctx, who, p)
}

// news reports whether the state is new, or was last sent at least typingPause ago:
// WhatsApp repeats the state while a person types.
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

func (m *Messenger) typing(ctx context.Context, l crm.Line, chat, kind string) error {
	s, cli, err := m.online(ctx, l)
	if err != nil || cli == nil {
		return err
	}
	to, err := jidOf(chat)
	if err != nil {
		return err
	}
	shown := types.ChatPresenceMediaText
	switch kind {
	case crm.TypingVoice:
		shown = types.ChatPresenceMediaAudio
	case crm.TypingPaused: // nobody has to be online for that
		if cli.SendChatPresence(ctx, to, types.ChatPresencePaused, shown) != nil {
			return errNotTyping
		}
		return nil
	}
	if err := s.attend(ctx, cli, to); err != nil && !errors.Is(err, whatsmeow.ErrNoPushName) {
		return errNotTyping
	}
	if err := cli.SendChatPresence(ctx, to, types.ChatPresenceComposing, shown); err != nil {
		return errNotTyping
	}
	return nil
}

var errNotTyping = crm.Unavailable("WhatsApp did not take it: the connection is being renewed")
