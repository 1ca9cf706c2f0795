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

// notYet returns how long an item has to wait although its time has come, or 0.
func (s *session) notYet(ctx context.Context, cli *whatsmeow.Client, item crm.OutboxItem, p *pacer, typed typings) (later time.Duration) {
	if item.FirstContact && !item.Group && item.Kind == crm.OutMessage {
		if later = s.park(ctx, item); later > 0 {
			return later
		}
		if later = p.hold(ctx, item); later > 0 {
			return later
		}
	}
	return typed.hold(ctx, s, cli, item)
}

// pacer holds first messages back as the line's rating demands, in one reading of the
// outbox. It gives each message that waits a time of its own, so that each is written
// once and not every minute.
type pacer struct {
	s     *session
	rated *crm.LineRating // nil: to be asked for
	next  time.Time       // when the next first message may begin
}

// waits takes note of a first message that waits already.
func (p *pacer) waits(until time.Time) {
	if after := until.Add(crm.Pace(until)); after.After(p.next) {
		p.next = after
	}
}

// hold lets a first message wait when it may not be sent yet. It returns how long the
// item's chat has to wait, or 0 when the item may be sent.
func (p *pacer) hold(ctx context.Context, item crm.OutboxItem) (later time.Duration) {
	if !p.s.m.Guard || item.Group {
		return 0
	}
	now := time.Now()
	if p.rated == nil {
		r, err := p.s.m.rules.RateLine(ctx, p.s.on)
		if err != nil {
			p.s.log.Warn("the line could not be rated", "error", err)
			return time.Second
		}
		p.rated = &r
	}
	at := p.rated.Next(now)
	if !at.After(now) {
		p.rated = nil // this message may change it
		return 0
	}
	why := "the line is careful with new people now"
	if p.rated.Rating.Rating == crm.RatingStop {
		why = "the line writes to no new people now: " + reasons(p.rated.Rating)
	} else {
		if p.next.After(at) {
			at = p.next
		}
		p.waits(at)
	}
	if err := p.s.m.rules.OutboxPark(ctx, item, at, crm.SendError{Code: codeGuarded, Message: why}); err != nil {
		p.s.log.Warn("a first message could not be parked", "error", err)
		return time.Second
	}
	return max(time.Until(at), 50*time.Millisecond)
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
// Other chats do not wait for it.
func (t typings) hold(ctx context.Context, s *session, cli *whatsmeow.Client, item crm.OutboxItem) (later time.Duration) {
	most := s.paceNow().typeFor
	if most == 0 || item.Kind != crm.OutMessage || item.Message == nil || item.Message.Type != crm.MessageText || item.Attempts > 0 {
		return 0
	}
	if until, begun := t[item.ID]; begun {
		return max(0, time.Until(until))
	}
	takes := typingTime(item.Message.Content.Text, most)
	t[item.ID] = time.Now().Add(takes)
	to, err := s.recipient(ctx, cli, &item)
	if err == nil && !item.FirstContact { // as in deliver
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
