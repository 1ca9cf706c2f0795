package whatsapp

import (
	"errors"
	"maps"
	"slices"

	"go.mau.fi/whatsmeow"

	"chatcast/crm"
)

// labelRefusals are the changes of labels that WhatsApp refuses. One that it refuses for what
// it is must not block those behind it: it stays noted, waits for a longer time after each try,
// and is sent at once when it is changed here again, which gives it another id. With a label
// itself, what chats have it waits too. It is not safe for concurrent use.
type labelRefusals struct {
	all    pause // after a refusal that has nothing to do with a single change
	byID   map[int64]*refusedLabel
	seen   map[int64]bool // in this round
	spoilt int            // refused in this round
}

type refusedLabel struct {
	label string // whose chats wait; empty: it is only a chat that has the label
	pause pause
}

func newLabelRefusals() *labelRefusals {
	return &labelRefusals{byID: map[int64]*refusedLabel{}, seen: map[int64]bool{}}
}

// begin begins a round.
func (r *labelRefusals) begin() {
	clear(r.seen)
	r.spoilt = 0
}

// due returns the changes that do not wait.
func (r *labelRefusals) due(changes []crm.LabelChange) []crm.LabelChange {
	for _, ch := range changes {
		if ch.ChatID == "" { // it may have changed since it was refused
			maps.DeleteFunc(r.byID, func(id int64, one *refusedLabel) bool { return one.label == ch.Label && id != ch.ID })
		}
	}
	waiting := map[string]bool{}
	for _, one := range r.byID {
		if one.label != "" && one.pause.left() > 0 {
			waiting[one.label] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(changes), func(ch crm.LabelChange) bool {
		r.seen[ch.ID] = true
		one := r.byID[ch.ID]
		return one != nil && one.pause.left() > 0 || ch.ChatID != "" && waiting[ch.Label]
	})
}

// add lets a refused change wait. It reports whether it is the first refusal.
func (r *labelRefusals) add(ch crm.LabelChange) (first bool) {
	one := r.byID[ch.ID]
	if first = one == nil; first {
		one = &refusedLabel{}
		if ch.ChatID == "" && !ch.Deleted {
			one.label = ch.Label
		}
		r.byID[ch.ID] = one
	}
	one.pause.add(errNotSent, labelCheck, labelAgain)
	r.spoilt++
	return first
}

// tooMany reports whether so many changes were refused in this round that the reason may be
// another one.
func (r *labelRefusals) tooMany() bool { return r.spoilt >= labelsSpoilt }

// keepSeen forgets the changes that are not noted any more.
func (r *labelRefusals) keepSeen() {
	maps.DeleteFunc(r.byID, func(id int64, _ *refusedLabel) bool { return !r.seen[id] })
}

// faultOfChange reports whether WhatsApp refuses a change for what it is: not because of the
// account, the time or too many questions.
func faultOfChange(err error) bool {
	var refusal *whatsmeow.IQError
	if errors.As(err, &refusal) {
		return slices.Contains([]int{400, 404, 405, 406, 410, 419}, refusal.Code)
	}
	return errors.Is(err, whatsmeow.ErrAppStateUpdate) && !errors.Is(err, errReadApart)
}
