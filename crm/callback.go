package crm

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"chatcast/channels"
	"chatcast/models"
)

// A callback URL gets the events of a line, or of all lines of a company, as webhooks. The
// rules here keep the URLs and how far each has got; a CallbackPoster posts.

// CallbackPoster posts to callback URLs.
type CallbackPoster interface {
	// CheckURL posts nothing to the URL. It returns an Error about the field url unless the
	// answer is 200, or CodeThrottled when too many POSTs of the company are under way.
	CheckURL(ctx context.Context, companyID int64, url string) error
	// Post waits for its turn, and posts once what read returns then. The error is that of
	// read, or as for CheckURL.
	Post(ctx context.Context, companyID int64, read func() (CallbackTarget, CallbackEvent, error)) (CallbackAttempt, error)
	// Changed is called after the commit of a change of URLs. It does not block.
	Changed()
	// CheckAddress posts nothing. It returns an Error about the field unless the URL may be
	// posted to: it must not lead to an address that is not public.
	CheckAddress(ctx context.Context, field, url string) error
	// CheckEvents returns an Error about the field unless the names are those of events in the
	// words of a format.
	CheckEvents(format, field string, names []string) error
	// Live posts an event that is not in the journal to the endpoints of a line in other
	// dialects. It does not block, and what is not taken is lost.
	Live(companyID int64, ev CallbackEvent)
}

// Bounds of callback URLs.
const (
	MaxCallbackChats = 100
	MaxCallbackLines = 100
	// CallbackLogSize is how many entries of what was delivered the log of a URL keeps, and of what
	// failed, for CallbackLogAge. It keeps CallbackUnsentSize of what was given up or lost.
	CallbackLogSize    = models.CallbackLogRows
	CallbackUnsentSize = models.CallbackUnsentRows
	CallbackLogAge     = 7 * 24 * time.Hour
	// CallbackAnswer is how many bytes of an answer the log keeps.
	CallbackAnswer = 512
)

// States of a callback URL.
const (
	CallbackActive    = "active"
	CallbackFailing   = "failing"   // the last attempt failed, and is made again
	CallbackSuspended = "suspended" // nothing is sent until somebody resumes it
	CallbackDone      = "done"      // of a dry run: everything was sent
)

// LineRef names a line.
type LineRef struct {
	LicenseID     int64  `json:"licenseId"`
	MessengerType string `json:"messengerType"`
}

// CallbackData is a callback URL as answers show it.
type CallbackData struct {
	ID            int64     `json:"id"`
	Format        string    `json:"format"` // chatapp, or the dialect in whose words the events are
	Enabled       bool      `json:"enabled"`
	CompanyID     int64     `json:"companyId"`
	LicenseID     *int64    `json:"licenseId"` // null: it gets the events of all lines
	MessengerType *string   `json:"messengerType"`
	URL           string    `json:"url"`
	Events        []string  `json:"events"` // empty: all
	Lines         []LineRef `json:"lines"`  // of a company's; empty: all
	Chats         []string  `json:"chats"`  // of a line's; empty: all
	CreatedAt     int64     `json:"createdAt"`
	CallbackState
	Lost   *CallbackGap    `json:"lost"`             // the last gap; null: there was none
	DryRun *CallbackDryRun `json:"dryRun"`           // null: there was none
	Secret string          `json:"secret,omitempty"` // only in the answer that made it, or the secret
}

// CallbackState is how far the deliveries to a URL have got.
type CallbackState struct {
	State       string  `json:"state"`
	Reason      *string `json:"reason"`      // of the last failure; null: the last attempt succeeded
	Since       *int64  `json:"since"`       // it has failed, or is suspended, since then; unix seconds
	Failures    int64   `json:"failures"`    // in a row
	NextAttempt *int64  `json:"nextAttempt"` // unix seconds; null: at once
	LastEventID int64   `json:"lastEventId"` // every event up to this one is done with
	GivenUp     int64   `json:"givenUp"`     // requests of a dialect's endpoint that were; see the log
}

// CallbackGap tells of events that were removed from the journal before they were
// delivered, or of one that cannot be read.
type CallbackGap struct {
	From int64 `json:"from"` // event ids
	To   int64 `json:"to"`
	Time int64 `json:"time"` // when it was found

	Unreadable bool `json:"-"` // the event is still there, and cannot be read
}

// CallbackDryRun is a rewind to another URL, which moves nothing else.
type CallbackDryRun struct {
	URL string `json:"url"`
	CallbackState
	UntilEventID int64 `json:"untilEventId"` // its last event
}

// noCallbacks is the CallbackPoster of commands and tests, which post nothing.
type noCallbacks struct{}

var _ CallbackPoster = noCallbacks{}

func (noCallbacks) CheckURL(context.Context, int64, string) error {
	return Unavailable("this program posts no webhooks")
}

func (noCallbacks) Post(context.Context, int64, func() (CallbackTarget, CallbackEvent, error)) (CallbackAttempt, error) {
	return CallbackAttempt{}, Unavailable("this program posts no webhooks")
}

func (noCallbacks) Changed() {}

func (noCallbacks) CheckAddress(context.Context, string, string) error { return nil }

func (noCallbacks) CheckEvents(string, string, []string) error { return nil }

func (noCallbacks) Live(int64, CallbackEvent) {}

// callbackData returns rows, with the dry run of each in it, as answers show them.
func callbackData(rows []models.CallbackURL) ([]CallbackData, error) {
	list := []CallbackData{}
	runs := map[int64]*CallbackDryRun{}
	for _, row := range rows {
		if row.ParentID != nil {
			runs[*row.ParentID] = &CallbackDryRun{URL: row.URL, CallbackState: callbackState(&row), UntilEventID: row.UntilSeq}
		}
	}
	for _, row := range rows {
		if row.ParentID != nil {
			continue
		}
		f, err := filterOf(&row)
		if err != nil {
			return nil, err
		}
		if row.Format != "" {
			if f.events, _, err = endpointOf(&row); err != nil {
				return nil, err
			}
		}
		data := CallbackData{
			ID: row.ID, Format: cmp.Or(row.Format, FormatChatApp), Enabled: row.Enabled, CompanyID: row.CompanyID, LicenseID: row.LicenseID, MessengerType: row.MessengerType, URL: row.URL,
			Events: f.events, Lines: f.lines, Chats: f.chats, CreatedAt: row.CreatedAt, CallbackState: callbackState(&row), DryRun: runs[row.ID],
		}
		if row.LostAt != 0 {
			data.Lost = &CallbackGap{From: row.LostFrom, To: row.LostTo, Time: row.LostAt}
		}
		list = append(list, data)
	}
	return list, nil
}

func callbackState(row *models.CallbackURL) CallbackState {
	st := CallbackState{State: CallbackActive, Failures: row.Failures, LastEventID: row.CursorSeq, GivenUp: row.GivenUp}
	if row.LastError != "" {
		st.Reason = &row.LastError
	}
	switch {
	case row.SuspendedAt != 0:
		st.State, st.Since = CallbackSuspended, &row.SuspendedAt
	case row.ParentID != nil && row.CursorSeq >= row.UntilSeq:
		st.State = CallbackDone
	case row.Failures > 0:
		st.State, st.Since, st.NextAttempt = CallbackFailing, new(row.FailingSinceMS/1000), new(row.NextAtMS/1000)
	}
	return st
}

// oneCallback returns a URL as answers show it.
func oneCallback(tx *models.Tx, row *models.CallbackURL) (data CallbackData, err error) {
	rows := []models.CallbackURL{*row}
	run, err := tx.DryRunOf(row.ID)
	switch {
	case err == nil:
		rows = append(rows, *run)
	case !errors.Is(err, models.ErrNotFound):
		return data, err
	}
	list, err := callbackData(rows)
	if err != nil {
		return data, err
	}
	return list[0], nil
}

// callbackTarget names a URL in the audit log: by its host, because the rest of it may be
// secret.
func callbackTarget(row *models.CallbackURL) target {
	return ofID(targetCallback, row.ID, callbackHost(row.URL))
}

func callbackHost(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// callbackFilter selects events.
type callbackFilter struct {
	events []string
	lines  []LineRef
	chats  []string
	former []formerChat // ids that the chats had before

	dialect bool // it is in the words of a dialect, which has some for internal events
}

// filterOf returns the filter of a row. Its lists are not nil, as put wrote them. The events of
// one in another dialect are chosen where they are rendered.
func filterOf(row *models.CallbackURL) (f callbackFilter, err error) {
	err = errors.Join(json.Unmarshal([]byte(row.Events), &f.events), json.Unmarshal([]byte(row.Lines), &f.lines), json.Unmarshal([]byte(row.Chats), &f.chats),
		json.Unmarshal([]byte(row.FormerChats), &f.former))
	if err != nil {
		err = fmt.Errorf("crm: callback URL %d: %w", row.ID, err)
	}
	if f.dialect = row.Format != ""; f.dialect {
		f.events = []string{}
	}
	return f, err
}

// linePrefix begins the channels of lines.
var linePrefix, _, _ = strings.Cut(channels.LineName(0, "x"), "0")

// names reports whether events of this name are selected.
func (f *callbackFilter) names(event string) bool {
	if channels.IsInternal(event) {
		return f.dialect
	}
	return len(f.events) == 0 || slices.Contains(f.events, event)
}

// selects reports whether a URL gets an event of its company that is in the channels with
// these names.
func (f *callbackFilter) selects(row *models.CallbackURL, e *models.JournalEntry, names []string) bool {
	if !f.names(e.Name) {
		return false
	}
	if row.LicenseID != nil {
		return slices.Contains(names, channels.LineName(*row.LicenseID, *row.MessengerType)) && f.ofChats(e)
	}
	if len(f.lines) == 0 && slices.Contains(names, channels.CompanyName(row.CompanyID)) {
		return true
	}
	return slices.ContainsFunc(names, f.ofLines)
}

// ofLines reports whether a channel is that of a line that the URL of a company selects.
func (f *callbackFilter) ofLines(channel string) bool {
	return strings.HasPrefix(channel, linePrefix) && (len(f.lines) == 0 || slices.ContainsFunc(f.lines, func(l LineRef) bool {
		return channel == channels.LineName(l.LicenseID, l.MessengerType)
	}))
}

// put writes the filter into a row.
func (f callbackFilter) put(row *models.CallbackURL) error {
	for _, c := range []struct {
		to   *string
		list any
	}{{&row.Events, f.events}, {&row.Lines, f.lines}, {&row.Chats, f.chats}, {&row.FormerChats, bounded(f.former)}} {
		text, err := json.Marshal(c.list)
		if err != nil {
			return err
		}
		*c.to = string(text)
	}
	return nil
}
