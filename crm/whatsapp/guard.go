package whatsapp

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"
	"unicode/utf8"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/types/events"

	"chatcast/crm"
)

const (
	guardEvery = time.Minute      // how often a line is rated while nothing happens
	seenEvery  = 10 * time.Minute // how often it is stored that the phone is there
)

// minWait is the least time that a chat waits.
const minWait = 50 * time.Millisecond

// notYet returns how long an item has to wait although its time has come, or 0.
func (s *session) notYet(ctx context.Context, cli *whatsmeow.Client, item crm.OutboxItem, gate *firstGate, typed typings) (later time.Duration) {
	if first(item) {
		return gate.hold(ctx, item)
	}
	return typed.hold(ctx, s, cli, item)
}

// first reports whether an item is the first message to a person.
func first(item crm.OutboxItem) bool {
	return item.FirstContact && !item.Group && item.Kind == crm.OutMessage
}

// firstGate lets first messages through as the account's lock and the line's rating allow. It
// decides once in a reading of the outbox: when it is closed for one message, it is for
// all that follow, and they are told to wait together.
type firstGate struct {
	s      *session
	passed time.Time       // when it last let a message through
	begun  int             // in this reading
	rated  *crm.LineRating // in this reading; nil: to be asked for
	closed closed          // in this reading; zero: it is not
}

// closed is how first messages wait.
type closed struct {
	until  time.Time
	inTurn bool // one by one from then on
	why    crm.SendError
}

// read begins a reading of the outbox.
func (g *firstGate) read() { g.begun, g.rated, g.closed = 0, nil, closed{} }

// hold lets a first message wait when it may not be sent yet. It returns how long the
// item's chat has to wait, or 0 when the item may be begun. Then pass must be called.
func (g *firstGate) hold(ctx context.Context, item crm.OutboxItem) (later time.Duration) {
	if g.full() {
		return minWait
	}
	rules, on := g.s.m.rules, g.s.on
	if g.closed.until.IsZero() {
		shut, err := g.ask(ctx)
		if err == nil && !shut.until.IsZero() {
			err = rules.OutboxHold(ctx, on, shut.until, shut.inTurn, shut.why)
		}
		if err != nil {
			g.s.log.Warn("it is not known whether first messages may be sent", "error", err)
			shut = closed{until: time.Now().Add(time.Second), why: crm.SendError{Code: codeGuarded, Message: "it is not known whether it may be sent"}}
		}
		g.closed = shut
	}
	if g.closed.until.IsZero() {
		return 0
	}
	if item.Attempts > 0 { // it does not lose its turn
		if err := rules.OutboxPark(ctx, item, g.closed.until, g.closed.why); err != nil {
			g.s.log.Warn("a first message could not be parked", "error", err)
			return time.Second
		}
	}
	return max(time.Until(g.closed.until), minWait)
}

// ask returns how the next first message has to wait, or the zero closed.
func (g *firstGate) ask(ctx context.Context) (shut closed, err error) {
	until, err := g.s.lockedUntil(ctx)
	if err != nil || !until.IsZero() {
		return closed{until: until, why: crm.SendError{Code: codeLocked, Message: lockSentence(until)}}, err
	}
	if !g.s.m.Guard {
		return shut, nil
	}
	now := time.Now()
	if g.rated == nil {
		r, err := g.s.m.rules.RateLine(ctx, g.s.on)
		if err != nil {
			return shut, err
		}
		if r.LastContact.Before(g.passed) {
			r.LastContact = g.passed
		}
		g.rated = &r
	}
	at := g.rated.Next(now)
	switch {
	case !at.After(now):
		return shut, nil
	case g.rated.Rating.Rating == crm.RatingStop:
		return closed{until: at, why: crm.SendError{Code: codeGuarded, Message: "the line writes to no new people now: " + reasons(g.rated.Rating)}}, nil
	}
	return closed{until: at, inTurn: true, why: crm.SendError{Code: codeGuarded, Message: "the line is careful with new people now"}}, nil
}

// pass takes note that a first message was begun. The next one keeps its distance from it,
// whatever the rules know of it by then; of a line that was ok they are asked again.
func (g *firstGate) pass() {
	g.passed = time.Now()
	g.begun++
	if g.rated == nil || g.rated.Rating.Rating == crm.RatingOK {
		g.rated = nil
		return
	}
	g.rated.LastContact = g.passed
}

func reasons(r crm.Rating) string {
	var said []string
	for _, reason := range r.Reasons {
		if reason.Rating == crm.RatingStop {
			said = append(said, reason.Message)
		}
	}
	return strings.Join(said, " ")
}

// pace is how a line writes.
type pace struct {
	delay   time.Duration // between two messages
	typeFor time.Duration // we are shown as typing before a text, at most; 0: not at all
}

// usualTyping is how long a line types that has to, on a server whose lines do not.
const usualTyping = 8 * time.Second

// paceOf returns how a line with these settings writes.
func (m *Messenger) paceOf(settings crm.AccountSettings) pace {
	p := pace{delay: m.SendDelay, typeFor: m.TypeFor}
	if settings.SendDelay != nil {
		p.delay = *settings.SendDelay
	}
	switch {
	case settings.Typing == nil:
	case !*settings.Typing:
		p.typeFor = 0
	case p.typeFor == 0:
		p.typeFor = usualTyping
	}
	return p
}

// paceNow returns how the line writes now.
func (s *session) paceNow() pace {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pace
}

// jitter returns d and up to half of it more, so that messages are not as regular as a
// program's.
func jitter(d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return d + rand.N(d/2+1)
}

// typings are the texts of a line that are being typed, by the item's id, until when.
type typings map[int64]time.Time

// hold shows that we are typing before a text is sent, for a time that depends on its
// length. It returns how long the item's chat has to wait, or 0 when the text may be sent.
// Other chats do not wait for it. A stranger is shown nothing: see decision 0153.
func (t typings) hold(ctx context.Context, s *session, cli *whatsmeow.Client, item crm.OutboxItem) (later time.Duration) {
	most := s.paceNow().typeFor
	if most == 0 || item.FirstContact || item.Kind != crm.OutMessage || item.Message == nil || item.Message.Type != crm.MessageText || item.Attempts > 0 {
		return 0
	}
	if until, begun := t[item.ID]; begun {
		return max(0, time.Until(until))
	}
	takes := typingTime(item.Message.Content.Text, most)
	t[item.ID] = time.Now().Add(takes)
	to, _, err := s.recipient(ctx, cli, &item)
	if err == nil {
		if err = s.attend(ctx, cli, to); errors.Is(err, whatsmeow.ErrNoPushName) {
			err = nil
		}
	}
	if err == nil {
		err = cli.SendChatPresence(ctx, to, types.ChatPresenceComposing, types.ChatPresenceMediaText)
	}
	if err != nil {
		s.log.Debug("typing was not shown", "error", err)
		return 0
	}
	return takes
}

// keep forgets the texts that are not in the outbox any more.
func (t typings) keep(seen map[int64]bool) {
	for id := range t {
		if !seen[id] {
			delete(t, id)
		}
	}
}

// typingTime returns how long a text is typed: as a quick person would, at most most.
func typingTime(text string, most time.Duration) time.Duration {
	return min(most, jitter(time.Second+time.Duration(utf8.RuneCountInString(text))*50*time.Millisecond))
}

// watch rates the line from time to time and reports what its rating needs, until ctx
// ends. It also keeps the version of a long connection known.
func (s *session) watch(ctx context.Context) {
	for wait(ctx, guardEvery) == nil {
		if s.loggedIn.Load() {
			s.freshen(ctx)
		}
		if cli := s.client(); cli != nil && cli.IsLoggedIn() {
			s.readWanted()
			s.besideStates(cli, func(ctx context.Context) { s.lookAtStates(ctx, cli) })
			if s.looksOld() {
				s.wantLooks(ctx, cli)
			}
		}
		s.report(ctx)
	}
}

// report stores when the phone was seen and the version was known, and rates the line.
func (s *session) report(ctx context.Context) {
	if !s.paired() {
		return
	}
	s.reporting.Lock()
	defer s.reporting.Unlock()
	seen := crm.LineSeen{Version: s.m.versions.knownAt()}
	if at := s.phoneSeen.Load(); at != 0 {
		seen.Phone = time.Unix(at, 0)
	}
	var err error
	if seen.Phone.Sub(s.reported.Phone) >= seenEvery || seen.Version.Sub(s.reported.Version) >= seenEvery || !s.everReported {
		if err = s.m.rules.SetLineSeen(ctx, s.on, seen); err == nil {
			s.reported, s.everReported = seen, true
		}
	} else {
		_, err = s.m.rules.RateLine(ctx, s.on)
	}
	if err != nil && ctx.Err() == nil {
		s.log.Warn("the line could not be rated", "error", err)
	}
}

// lookForPhone notes when an event comes from the account's phone, which is its device 0.
func (s *session) lookForPhone(evt any) {
	var from types.MessageSource
	var at time.Time
	switch e := evt.(type) {
	case *events.Message:
		from, at = e.Info.MessageSource, e.Info.Timestamp
	case *events.Receipt:
		from, at = e.MessageSource, e.Timestamp
	}
	if from.IsFromMe && from.Sender.Device == 0 && at.Unix() > s.phoneSeen.Load() {
		s.phoneSeen.Store(at.Unix())
	}
}
