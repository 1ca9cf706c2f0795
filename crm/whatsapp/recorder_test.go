package whatsapp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"chatcast/crm"
)

// recorder is a fake of the rules. It records the calls, and can fail where the rules never
// do. The tests in lines_test.go use the real rules.
type recorder struct {
	mu               sync.Mutex
	changed          chan struct{} // closed and replaced at each change
	sessions         map[crm.Line]*crm.LineSession
	states           []crm.LineState
	looks            []crm.AccountLooks
	batches          []crm.InboundBatch
	codes            []crm.Pairing
	presences        []string // chat, person, state
	outbox           []crm.OutboxItem
	begun            map[int64]bool // items whose attempt goes on
	laterPages       int            // of the outbox with first messages
	outcomes         []crm.Outcome
	sent             map[string]*crm.MessageRef
	stored           map[string]*os.File // the files that we send
	files            map[string]string   // the files that were stored
	pending          []crm.FileToFetch
	unfetched        []string // states
	storeUnavailable bool     // the file store is unavailable
	seen             []crm.LineSeen
	rating           crm.LineRating
	settings         crm.AccountSettings
	onFile           func(id string)                // called when a file to send is opened, or one was fetched
	onBlocked        func(ids []string)             // called before a list of blocked people is stored
	refused          int                            // files refused because of that
	beforeIngest     func(t crm.InboundBatch) error // called before a batch is recorded
}

var _ Rules = (*recorder)(nil)

func newRecorder() *recorder {
	return &recorder{
		changed: make(chan struct{}), sessions: map[crm.Line]*crm.LineSession{}, begun: map[int64]bool{}, sent: map[string]*crm.MessageRef{}, files: map[string]string{},
	}
}

// change runs f under the lock and wakes the callers of await.
func (r *recorder) change(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// before makes Ingest call f before it records a batch. If f fails, Ingest returns its
// error.
func (r *recorder) before(f func(t crm.InboundBatch) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.beforeIngest = f
}

// await waits until done returns true. done runs under the lock.
func (r *recorder) await(ctx context.Context, what string, done func() bool) error {
	for {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", what, ctx.Err())
		}
	}
}

func (r *recorder) Ingest(_ context.Context, _ crm.Line, t crm.InboundBatch) (crm.InboundResult, error) {
	r.mu.Lock()
	on := r.beforeIngest
	r.mu.Unlock()
	if on != nil {
		if err := on(t); err != nil {
			return crm.InboundResult{}, err
		}
	}
	t.Messages = slices.Clone(t.Messages)
	r.change(func() { r.batches = append(r.batches, t) })
	return crm.InboundResult{}, nil
}

func (r *recorder) Outbox(_ context.Context, _ crm.Line, at time.Time, after int64, limit int) ([]crm.OutboxItem, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if after > 0 {
		r.laterPages++
	}
	return r.due(at, after, limit, true), nil
}

func (r *recorder) OutboxAnswers(_ context.Context, _ crm.Line, at time.Time, after int64, limit int) ([]crm.OutboxItem, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.due(at, after, limit, false), nil
}

func (r *recorder) due(at time.Time, after int64, limit int, firsts bool) (items []crm.OutboxItem) {
	waits := map[string]bool{}
	for _, item := range r.outbox {
		if later := item.NotBefore.After(at) || !firsts && item.FirstContact && !r.begun[item.ID]; later || waits[item.ChatID] {
			waits[item.ChatID] = waits[item.ChatID] || holds(item)
		} else if item.ID > after && len(items) < limit {
			items = append(items, item)
		}
	}
	return items
}

func (r *recorder) AccountDisappears(context.Context, crm.Line, int64, int64) error { return nil }

func (r *recorder) LabelChanges(context.Context, crm.Line, int64, int) ([]crm.LabelChange, error) {
	return nil, nil
}

func (r *recorder) LabelsSent(context.Context, crm.Line, []int64) error { return nil }
func (r *recorder) OutboxNext(_ context.Context, _ crm.Line, at time.Time) (next time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range r.outbox {
		if item.NotBefore.After(at) && (next.IsZero() || item.NotBefore.Before(next)) {
			next = item.NotBefore
		}
	}
	return next, nil
}

func (r *recorder) OutboxItem(_ context.Context, _ crm.Line, id int64) (*crm.OutboxItem, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, item := range r.outbox {
		if item.ID == id {
			return &item, nil
		}
	}
	return nil, &crm.Error{Code: crm.CodeNotFound}
}

// OutboxHold gives each message a time of its own, also when they need not go in turn.
func (r *recorder) OutboxHold(_ context.Context, _ crm.Line, until time.Time, _ bool, _ crm.SendError) error {
	r.change(func() {
		now := time.Now()
		for _, item := range r.outbox {
			if after := item.NotBefore.Add(crm.Pace(item.NotBefore)); item.NotBefore.After(now) && after.After(until) {
				until = after
			}
		}
		for i := range r.outbox {
			if item := &r.outbox[i]; item.FirstContact && !item.NotBefore.After(now) && !r.begun[item.ID] {
				item.NotBefore = until
				until = until.Add(crm.Pace(until))
			}
		}
	})
	return nil
}

func (r *recorder) OutboxStart(_ context.Context, _ crm.Line, id int64) (*crm.OutboxItem, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.outbox {
		if r.outbox[i].ID == id {
			r.outbox[i].Attempts++
			r.begun[id] = true
			item := r.outbox[i]
			return &item, nil
		}
	}
	return nil, nil
}

func (r *recorder) OutboxDone(_ context.Context, item crm.OutboxItem, o crm.Outcome) error {
	r.change(func() {
		delete(r.begun, item.ID)
		r.outcomes = append(r.outcomes, o)
		for i := range r.outbox {
			if r.outbox[i].ID == item.ID && o.Status == crm.OutRetry {
				r.outbox[i].NotBefore = o.NotBefore
				return
			}
		}
		r.outbox = slices.DeleteFunc(r.outbox, func(x crm.OutboxItem) bool { return x.ID == item.ID })
	})
	return nil
}

func (r *recorder) OutboxPark(_ context.Context, item crm.OutboxItem, until time.Time, _ crm.SendError) error {
	r.change(func() {
		for i := range r.outbox {
			if r.outbox[i].ID == item.ID {
				r.outbox[i].NotBefore = until
			}
		}
	})
	return nil
}

func (r *recorder) SetLineSeen(_ context.Context, _ crm.Line, seen crm.LineSeen) error {
	r.change(func() { r.seen = append(r.seen, seen) })
	return nil
}

func (r *recorder) RateLine(context.Context, crm.Line) (crm.LineRating, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rating, nil
}

func (r *recorder) SetLineRestriction(_ context.Context, on crm.Line, until *int64) error {
	r.change(func() { r.session(on).RestrictedUntil = until })
	return nil
}

func (r *recorder) ExpireOutbox(context.Context) (int, error) { return 0, nil }

func (r *recorder) SentMessage(_ context.Context, _ crm.Line, _, id string) (*crm.MessageRef, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ref := r.sent[id]; ref != nil {
		return ref, nil
	}
	return nil, &crm.Error{Code: crm.CodeNotFound, Message: "message not found"}
}

func (r *recorder) StoreFile(_ context.Context, _ crm.Line, name, _ string, from io.Reader) (*crm.Upload, error) {
	b, err := io.ReadAll(from)
	if err != nil {
		return nil, err
	}
	r.change(func() { r.files[name] = string(b) })
	return &crm.Upload{}, nil
}

func (r *recorder) FilesToFetch(context.Context, crm.Line, int) ([]crm.FileToFetch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var due []crm.FileToFetch
	for i := range r.pending {
		if r.pending[i].Link == "" && r.pending[i].NotBefore.Before(time.Now()) {
			r.pending[i].Attempts++
			due = append(due, r.pending[i])
		}
	}
	return due, nil
}

func (r *recorder) FileToFetch(_ context.Context, _ crm.Line, _, messageID string) (*crm.FileToFetch, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, f := range r.pending {
		if f.Message.ID == messageID {
			return &f, nil
		}
	}
	return nil, &crm.Error{Code: crm.CodeNotFound, Message: "file not found"}
}

func (r *recorder) FileFetched(_ context.Context, _ crm.Line, id string, from io.Reader) error {
	b, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	r.change(func() {
		if r.onFile != nil {
			r.onFile(id)
		}
		if r.storeUnavailable {
			r.refused++
			err = crm.Unavailable("the file store cannot be used now")
			return
		}
		r.files[id] = string(b)
		r.pending = slices.DeleteFunc(r.pending, func(f crm.FileToFetch) bool { return f.ID == id })
	})
	return err
}

func (r *recorder) FileNotFetched(_ context.Context, _ crm.Line, id, state string, notBefore time.Time) error {
	r.change(func() {
		r.unfetched = append(r.unfetched, state)
		for i := range r.pending {
			if r.pending[i].ID == id {
				r.pending[i].NotBefore = notBefore
				if r.pending[i].Link != "" {
					r.pending[i].Attempts++
				}
			}
		}
		if state != crm.FilePending {
			r.pending = slices.DeleteFunc(r.pending, func(f crm.FileToFetch) bool { return f.ID == id })
		}
	})
	return nil
}

func (r *recorder) OpenStored(_ context.Context, _ crm.Line, id string) (*crm.Attachment, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.onFile != nil {
		r.onFile(id)
	}
	if f := r.stored[id]; f != nil {
		return &crm.Attachment{Name: id, MimeType: "text/plain", Content: f}, nil
	}
	return nil, errors.New("no file " + id)
}

func (r *recorder) OpenPost(ctx context.Context, on crm.Line, f crm.StatusFile) (*crm.Attachment, error) {
	return r.OpenStored(ctx, on, f.ID)
}

func (r *recorder) FileLimit() int64 { return 1 << 20 }

func (r *recorder) SessionOf(_ context.Context, on crm.Line) (*crm.LineSession, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.sessions[on]; s != nil {
		row := *s
		return &row, nil
	}
	return nil, nil
}

func (r *recorder) Sessions(context.Context, string) (all []crm.LineSession, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sessions {
		all = append(all, *s)
	}
	return all, nil
}

func (r *recorder) session(on crm.Line) *crm.LineSession {
	if r.sessions[on] == nil {
		r.sessions[on] = &crm.LineSession{Line: on}
	}
	return r.sessions[on]
}

func (r *recorder) SetLineState(_ context.Context, on crm.Line, st crm.LineState) (err error) {
	r.change(func() {
		row := r.session(on)
		if st.Owner != "" && row.LeaseOwner != st.Owner {
			err = &crm.Error{Code: crm.CodeConflict, Message: "the lease is another's"}
			return
		}
		row.State, row.Detail, row.BannedUntil, row.UpdatedAt = st.State, st.Detail, st.BannedUntil, time.Now().Unix()
		if st.Device != nil {
			row.Device = *st.Device
		}
		if st.Phone != nil {
			row.Phone = *st.Phone
		}
		row.Paired = row.Paired || st.State == crm.StateConnected && row.Device != ""
		r.states = append(r.states, st)
	})
	return err
}

// TellLoss tells nothing: the tests of losses use the rules themselves.
func (r *recorder) TellLoss(context.Context, crm.Line, string) (time.Duration, error) { return 0, nil }

func (r *recorder) SetAccountLooks(_ context.Context, _ crm.Line, looks crm.AccountLooks) error {
	r.change(func() { r.looks = append(r.looks, looks) })
	return nil
}

func (r *recorder) Lease(_ context.Context, on crm.Line, owner string, _ time.Duration) (mine bool, err error) {
	r.change(func() {
		row := r.session(on)
		if row.LeaseOwner == "" {
			row.LeaseOwner = owner
		}
		mine = row.LeaseOwner == owner
		row.Leased = true
	})
	return mine, nil
}

func (r *recorder) BeatLines(_ context.Context, name, _ string, leaving bool) ([]crm.LineNode, bool, error) {
	return []crm.LineNode{{Name: name, Beat: 1, Leaving: leaving}}, true, nil
}

func (r *recorder) LineNodes(context.Context, string) ([]crm.LineNode, error) { return nil, nil }

func (r *recorder) CountChecks(context.Context, crm.Line, int) error { return nil }

func (r *recorder) ListenLines(ctx context.Context, _ func(crm.LineNews)) error {
	<-ctx.Done()
	return nil
}

func (r *recorder) CallLine(context.Context, crm.LineCall, time.Duration) error {
	return &crm.Error{Code: crm.CodeNotFound, Message: "there are no other processes"}
}

func (r *recorder) LineCallOver(context.Context, string) (bool, error) { return true, nil }

func (r *recorder) DropLineCall(context.Context, string) (end, answer string, err error) {
	return crm.CallMissing, "", nil
}

func (r *recorder) TakeLineCalls(context.Context, string, int) ([]crm.LineCall, error) {
	return nil, nil
}

func (r *recorder) AnswerLineCall(context.Context, crm.LineCall) error { return nil }

func (r *recorder) SweepLineCalls(context.Context) error { return nil }

func (r *recorder) RemoveLines(context.Context, crm.LineNode) (bool, error) { return false, nil }

func (r *recorder) LeaveLines(_ context.Context, name string) error {
	r.change(func() {
		for _, row := range r.sessions {
			if row.LeaseOwner == name {
				row.LeaseOwner, row.Leased = "", false
			}
		}
	})
	return nil
}

func (r *recorder) Release(_ context.Context, on crm.Line, owner string) error {
	r.change(func() {
		if row := r.session(on); row.LeaseOwner == owner {
			row.LeaseOwner, row.Leased = "", false
		}
	})
	return nil
}

func (r *recorder) PublishPresence(_ context.Context, _ crm.Line, p crm.Presence) error {
	r.change(func() { r.presences = append(r.presences, p.Chat.ID.String()+" "+p.By.ID.String()+" "+p.Type) })
	return nil
}

func (r *recorder) AccountSettings(context.Context, crm.Line) (crm.AccountSettings, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.settings, nil
}

func (r *recorder) CallRejected(context.Context, crm.Line, string, string) error { return nil }

func (r *recorder) PublishQR(_ context.Context, _ crm.Line, p crm.Pairing) error {
	r.change(func() { r.codes = append(r.codes, p) })
	return nil
}

// PictureDue implements Rules: nobody looks at these chats.
func (r *recorder) PictureDue(context.Context, crm.Line, string, bool) (id string, due bool, err error) {
	return "", false, nil
}

func (r *recorder) SetPicture(context.Context, crm.Line, string, crm.Picture) error {
	return errors.New("no picture is due")
}

func (r *recorder) SetBlocked(_ context.Context, _ crm.Line, ids []string) error {
	r.mu.Lock()
	on := r.onBlocked
	r.mu.Unlock()
	if on != nil {
		on(ids)
	}
	return nil
}
