package multiwa

import (
	"log/slog"
	"sync/atomic"
	"time"

	"chatcast/broadcasting"
	"chatcast/crm"
)

// Lines knows the lines as profiles. Its methods neither block nor lock.
type Lines interface {
	// Profile returns the id of a line's profile, and the number of its account in digits,
	// empty while it is not known. Of an unknown line both are empty.
	Profile(on crm.Line) (id, phone string)
}

// renderer translates events. All sockets share one.
type renderer struct {
	// static
	lines Lines
	now   func() time.Time
	log   *slog.Logger

	last atomic.Pointer[rendered]
}

// rendered is what the last event meant. Sockets with different lists share it: an event is
// read once, however many lists there are.
type rendered struct {
	seq        int64
	name, data string
	all        []occurrence
}

// phone returns the number of a line's account.
func (r *renderer) phone(on crm.Line) string {
	_, phone := r.lines.Profile(on)
	return phone
}

// render returns what an event means. Events without a meaning cost nothing but their name.
func (r *renderer) render(ev *broadcasting.Event) []occurrence {
	if l := r.last.Load(); l != nil && l.seq == ev.Seq && l.name == ev.Name && l.data == ev.Data {
		return l.all
	}
	all, err := translate(ev.Name, ev.Data, r.phone)
	if err != nil { // the journal holds what the rules wrote
		r.log.Error("an event could not be translated", "event", ev.Name, "id", ev.Seq, "error", err)
	}
	for i := range all {
		if all[i].time.IsZero() {
			all[i].time = r.now()
		}
	}
	r.last.Store(&rendered{seq: ev.Seq, name: ev.Name, data: ev.Data, all: all})
	return all
}

// frames returns the frames of an event for a list of names, one after the other.
func (r *renderer) frames(ev *broadcasting.Event, want eventSet, profile string) (all []byte) {
	for _, o := range r.render(ev) {
		want.of(o.kind, o.detail).texts(func(name string) {
			f := eventFrame(name, profile, o.time, ev.Seq, o.data)
			if all == nil {
				all = f
				return
			}
			all = append(all, f...)
		})
	}
	return all
}

// dialect is a subscription to the events of a profile. Sockets with equal lists of one
// profile have equal dialects, and share their frames.
type dialect struct {
	unspoken
	of      *renderer
	want    eventSet
	profile string
}

var _ broadcasting.Dialect = dialect{}

// Event implements broadcasting.Dialect.
func (d dialect) Event(ev broadcasting.Event) []byte { return d.of.frames(&ev, d.want, d.profile) }

// Subscribed implements broadcasting.Dialect. The answer has the request's id, so the
// socket writes it in this place: see outlet.
func (dialect) Subscribed(string, []*broadcasting.Member) []byte { return welcome }

// Unsubscribed implements broadcasting.Dialect.
func (d dialect) Unsubscribed(string) []byte {
	return frame(message{Type: "error", Payload: failure{Error: errorWithdrawn, ProfileID: d.profile}})
}

// ResumeFailed implements broadcasting.Dialect.
func (d dialect) ResumeFailed(_ string, oldest, last int64) []byte {
	return frame(message{Type: "error", Payload: failure{Error: errorMissed, ProfileID: d.profile, OldestEventID: oldest, LastEventID: last}})
}

// Position implements broadcasting.Dialect.
func (d dialect) Position(_ string, seq int64) []byte {
	return frame(message{Type: "ack", Payload: replayed{"replayed", d.profile, seq}})
}

// pairing is dialect on the channel on which the codes come that pair a profile. The
// subscription to it is a part of that to the profile, and is not told of.
type pairing struct{ dialect }

var _ broadcasting.Dialect = pairing{}

// Subscribed implements broadcasting.Dialect.
func (pairing) Subscribed(string, []*broadcasting.Member) []byte { return nil }

// Unsubscribed implements broadcasting.Dialect.
func (pairing) Unsubscribed(string) []byte { return nil }

// unspoken are the frames that this dialect does not have.
type unspoken struct{}

func (unspoken) Subscribed(string, []*broadcasting.Member) []byte { return nil }
func (unspoken) MemberAdded(string, *broadcasting.Member) []byte  { return nil }
func (unspoken) MemberRemoved(string, string) []byte              { return nil }
func (unspoken) Unsubscribed(string) []byte                       { return nil }
func (unspoken) SubscriptionCount(string, int) []byte             { return nil }
func (unspoken) CacheMissed(string) []byte                        { return nil }
func (unspoken) ResumeFailed(string, int64, int64) []byte         { return nil }
func (unspoken) Position(string, int64) []byte                    { return nil }
func (unspoken) Next(string, int64) []byte                        { return nil }
func (unspoken) SignedIn(string) []byte                           { return nil }
func (unspoken) WatchlistEvents(bool, []string) []byte            { return nil }
