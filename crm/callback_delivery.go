package crm

import (
	"context"
	"encoding/json"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// What follows is for the one who delivers, crm/webhook.

// Callback is a callback URL, or the dry run of one, as its deliverer needs it.
type Callback struct {
	ID         int64
	CompanyID  int64
	Line       Line  // the zero Line: of the company
	ParentID   int64 // set for a dry run: its log is there
	UntilID    int64 // of a dry run: its last event
	Generation int64 // rises with each change by a person
	Epoch      int64 // rises with each change of the process that delivers
	CallbackProgress
}

// Same reports whether other is the same URL, unchanged and delivered by the same process
// all the time.
func (cb Callback) Same(other Callback) bool {
	return cb.ID == other.ID && cb.Generation == other.Generation && cb.Epoch == other.Epoch
}

// DryRun reports whether the deliveries go to another URL for a test.
func (cb Callback) DryRun() bool { return cb.ParentID != 0 }

// CallbackProgress is how far the deliveries to a URL have got.
type CallbackProgress = models.CallbackProgress

// callback returns a row for its deliverer.
func callback(row *models.CallbackURL) Callback {
	cb := Callback{
		ID: row.ID, CompanyID: row.CompanyID, ParentID: deref(row.ParentID), UntilID: row.UntilSeq, Generation: row.Generation, Epoch: row.LeaseEpoch,
		CallbackProgress: row.CallbackProgress,
	}
	if row.LicenseID != nil {
		cb.Line = Line{*row.LicenseID, *row.MessengerType}
	}
	return cb
}

// ClaimCallbacks extends the right of owner, a process, to deliver, to ttl from now, and
// returns the callback URLs that no other living process delivers to. alone says that there
// is no other process.
func (s *Service) ClaimCallbacks(ctx context.Context, owner string, ttl time.Duration, alone bool) (list []Callback, err error) {
	err = s.change(ctx, func(c *change) error {
		rows, err := c.tx.ClaimCallbacks(owner, ttl, alone)
		list = nil
		for _, row := range rows {
			list = append(list, callback(&row))
		}
		return err
	})
	return list, err
}

// ReleaseCallbacks ends the right of owner, so that another process can deliver at once.
func (s *Service) ReleaseCallbacks(ctx context.Context, owner string) error {
	return s.change(ctx, func(c *change) error { return c.tx.DropCallbackLease(owner) })
}

// CallbacksVersion returns a number that rises with each change of callback URLs by a
// person, or of who may deliver.
func (s *Service) CallbacksVersion(ctx context.Context) (int64, error) {
	return s.Store.Read(ctx).CallbacksVersion()
}

// callbacksRemoved tells the deliverers that URLs may have been removed with their lines.
func (s *Service) callbacksRemoved(c *change) error {
	c.after = append(c.after, s.Callbacks.Changed)
	return c.tx.CallbacksChanged()
}

// JournalGrown returns a channel that is closed when events are published after this call.
func (s *Service) JournalGrown() <-chan struct{} { return s.Journal.next() }

// JournalLast returns the id of the last event.
func (s *Service) JournalLast(ctx context.Context) (int64, error) {
	bounds, err := s.Store.Read(ctx).JournalBounds()
	if err != nil {
		return 0, err
	}
	return bounds.LastSeq, nil
}

// JournalHead is an event of the journal without its data.
type JournalHead struct {
	ID        int64
	CompanyID int64
	Channels  []string
	Anywhere  bool // the channels cannot be read: it may be in any of the company's
}

// JournalHeads lists at most limit events after an id, in order, and the id up to which it
// has looked.
func (s *Service) JournalHeads(ctx context.Context, after int64, limit int) (list []JournalHead, seen int64, err error) {
	tx := s.Store.Read(ctx)
	bounds, err := tx.JournalBounds()
	if err != nil || bounds.LastSeq <= after {
		return nil, after, err
	}
	rows, err := tx.JournalHeads(after, bounds.LastSeq, limit)
	if err != nil {
		return nil, after, err
	}
	for _, row := range rows {
		head := JournalHead{ID: *row.Seq, CompanyID: row.CompanyID}
		head.Anywhere = json.Unmarshal([]byte(row.Channels), &head.Channels) != nil
		list = append(list, head)
	}
	if len(rows) == limit {
		return list, list[limit-1].ID, nil
	}
	return list, bounds.LastSeq, nil
}

// CallbackNext is what to do next for a callback URL.
type CallbackNext struct {
	Callback
	Target CallbackTarget
	Event  *CallbackEvent // the next event; nil: there is none up to Seen
	Seen   int64
	More   bool         // there may be one behind Seen: it has looked for long enough
	Lost   *CallbackGap // events that are gone or cannot be read; the next one is behind them
}

// nextEvents is how many events are looked through at once at most, which are in memory
// then. The first look is at one, because most URLs want the next event.
const nextEvents = 16

// nextLooks is how often NextCallback looks into the journal at most: a URL may want one
// event in a million.
const nextLooks = 32

// NextCallback finds the first event after an id that a URL selects, as it is now: what was
// deleted meanwhile is sent as the journal has it. A URL that is gone is CodeNotFound.
func (s *Service) NextCallback(ctx context.Context, id, after int64) (*CallbackNext, error) {
	tx := s.Store.Read(ctx)
	bounds, err := tx.JournalBounds() // before the URL: a change of its chats is committed with an event behind them
	if err != nil {
		return nil, err
	}
	row, err := tx.CallbackURL(id)
	if err != nil {
		return nil, orNotFound(err, "callback URL")
	}
	n := &CallbackNext{Callback: callback(row)}
	if n.Target, err = targetOf(row, s.Now()); err != nil {
		return nil, err
	}
	last := bounds.LastSeq
	if n.DryRun() {
		last = min(last, n.UntilID)
	}
	e, seen, err := nextEntry(tx, row, after, last)
	if err != nil {
		return nil, err
	}
	n.Seen, n.More = seen, e == nil && seen < last
	if e != nil {
		if n.Event, err = asCallbackEvent(row, e); err != nil {
			s.Journal.leaveOut(ctx, *e, err)
			n.Lost = &CallbackGap{From: seen, To: seen, Time: s.Now().Unix(), Unreadable: true}
		}
	}
	// Read the bounds again: entries that were removed meanwhile are missing above.
	if bounds, err = tx.JournalBounds(); err != nil {
		return nil, err
	}
	if after < bounds.First-1 {
		n.Event, n.Seen, n.More = nil, after, false
		n.Lost = &CallbackGap{From: after + 1, To: bounds.First - 1, Time: s.Now().Unix()}
	}
	return n, nil
}

// nextEntry finds the first entry after an id, and up to another one, that a URL selects or
// that cannot be read and may be selected, and the id up to which it has looked. After some
// looks it leaves the rest to the next call.
func nextEntry(tx *models.Tx, row *models.CallbackURL, after, last int64) (found *models.JournalEntry, seen int64, err error) {
	f, err := filterOf(row)
	if err != nil {
		return nil, 0, err
	}
	q := models.CallbackQuery{CompanyID: row.CompanyID, Names: f.events}
	if row.LicenseID != nil {
		q.Channel = channels.LineName(*row.LicenseID, *row.MessengerType)
	}
	limit := 1
	seen = after
	for look := 0; look < nextLooks && seen < last; look, limit = look+1, min(2*limit, nextEvents) {
		var rows []models.JournalEntry
		if rows, seen, err = tx.CallbackEvents(q, seen, last, limit); err != nil {
			return nil, 0, err
		}
		for _, e := range rows {
			if entry, err := broadcastEntry(e); err != nil && f.names(e.Name) || err == nil && f.selects(row, &e, entry.Channels) {
				return &e, *e.Seq, nil
			}
		}
	}
	return nil, seen, nil
}

// callbackEvent returns the event with the id, if the URL selects it and it can be read.
func callbackEvent(tx *models.Tx, row *models.CallbackURL, id int64) (*CallbackEvent, error) {
	f, err := filterOf(row)
	if err != nil {
		return nil, err
	}
	e, err := tx.JournalEntry(id)
	if err != nil {
		return nil, orNotFound(err, "event of this callback URL")
	}
	entry, unreadable := broadcastEntry(*e)
	if e.CompanyID != row.CompanyID || unreadable != nil || !f.selects(row, e, entry.Channels) {
		return nil, notFound("event of this callback URL")
	}
	return asCallbackEvent(row, e)
}

// asCallbackEvent returns a numbered entry as it is posted to a URL: its payload, unwrapped.
func asCallbackEvent(row *models.CallbackURL, e *models.JournalEntry) (*CallbackEvent, error) {
	entry, err := broadcastEntry(*e)
	if err != nil {
		return nil, err
	}
	ev := &CallbackEvent{ID: *e.Seq, Name: e.Name, Body: callbackBody(entry.Data), At: time.UnixMilli(e.CreatedAtMS)}
	ev.Line, err = lineFor(row, entry.Channels)
	return ev, err
}

// callbackBody returns the body for the data of an event.
func callbackBody(data string) []byte { return []byte(data[len(envelopeHead) : len(data)-1]) }

// lineFor returns the line as whose event a URL gets one that is in the channels with these names,
// which may be those of several lines: its own or, for the URL of a company, the first one of WhatsApp
// that it selects, else the first one that it selects.
func lineFor(row *models.CallbackURL, names []string) (first Line, err error) {
	if row.LicenseID != nil {
		return Line{*row.LicenseID, *row.MessengerType}, nil
	}
	f, err := filterOf(row)
	if err != nil {
		return first, err
	}
	for _, name := range names {
		parsed, err := channels.Parse(name)
		if err != nil || !f.ofLines(name) {
			continue
		}
		on := Line{parsed.Room().LicenseID, parsed.Room().Messenger}
		if IsWhatsApp(on.Messenger) {
			return on, nil
		}
		if first == (Line{}) {
			first = on
		}
	}
	return first, nil
}

// IsCallbackGone reports whether an error says that a callback URL is gone.
func IsCallbackGone(err error) bool { return isNotFound(err) }

// Channel returns the channel of a line; empty for the zero Line.
func (l Line) Channel() string {
	if l == (Line{}) {
		return ""
	}
	return channels.LineName(l.LicenseID, l.Messenger)
}
