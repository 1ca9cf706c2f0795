package postgres

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"chatcast/broadcasting"
)

// topic is the channel of the notifications.
const topic = "chatcast_bus"

// payloadBytes is how much of a message one notification has: PostgreSQL takes less than
// 8000 bytes, and the head needs some.
const payloadBytes = 7800

// kind is the kind of a message.
type kind string

// Kinds of messages. A node ignores those that it does not know: it may be of an earlier
// version.
const (
	kindEvent  kind = "event"  // Event, Version
	kindReport kind = "report" // Reports: changes
	kindHello  kind = "hello"  // the sender has joined; the others answer with kindState
	kindState  kind = "state"  // Reports: everything that the sender reports, Done with the last part
	kindBye    kind = "bye"    // the sender has left
	kindDead   kind = "dead"   // Node is buried
	kindProbe  kind = "probe"  // the sender hears itself
	kindOrder  kind = "order"  // Order, ID, Until, Number
	kindCancel kind = "cancel" // the sender no longer waits for the answer to its order ID
	kindAnswer kind = "answer" // Answer to the order ID
)

// message is what one node tells the others.
type message struct {
	Kind    kind                 `json:"k"`
	To      string               `json:"to,omitempty"` // the only node that it concerns; empty: all
	Node    string               `json:"node,omitempty"`
	Event   *event               `json:"e,omitempty"`
	Version uint64               `json:"v,omitempty"`
	Reports []report             `json:"r,omitempty"`
	Done    bool                 `json:"done,omitempty"`
	ID      uint64               `json:"id,omitempty"`
	Order   *broadcasting.Order  `json:"o,omitempty"`
	Number  int64                `json:"no,omitempty"`    // of an order that takes access away
	Until   int64                `json:"until,omitempty"` // when nobody waits for the answer any more, in microseconds of the database's clock
	Answer  *broadcasting.Answer `json:"a,omitempty"`
}

// event is broadcasting.Event on the wire. A journalled event does not travel here.
type event struct {
	App       string `json:"a"`
	Channel   string `json:"c"`
	Name      string `json:"n"`
	Data      string `json:"d"`
	Object    bool   `json:"o,omitempty"`
	Except    string `json:"x,omitempty"`
	UserID    string `json:"u,omitempty"`
	Seq       int64  `json:"s,omitempty"`
	Published int64  `json:"p,omitempty"`
}

func wireEvent(ev broadcasting.Event) *event {
	return &event{ev.App, ev.Channel, ev.Name, ev.Data, ev.Object, ev.Except, ev.UserID, ev.Seq, ev.Published}
}

func (e *event) engine() broadcasting.Event {
	return broadcasting.Event{
		App: e.App, Channel: e.Channel, Name: e.Name, Data: e.Data, Object: e.Object,
		Except: e.Except, UserID: e.UserID, Seq: e.Seq, Published: e.Published,
	}
}

// report is broadcasting.PresenceReport on the wire.
type report struct {
	Kind    broadcasting.PresenceKind `json:"k"`
	App     string                    `json:"a,omitempty"`
	Name    string                    `json:"n,omitempty"`
	Sockets int                       `json:"s,omitempty"`
	UserID  string                    `json:"u,omitempty"` // of a member too
	Info    json.RawMessage           `json:"i,omitempty"`
}

func wireReport(r broadcasting.PresenceReport) report {
	w := report{Kind: r.Kind, App: r.App, Name: r.Name, Sockets: r.Sockets, UserID: r.UserID}
	if r.Member != nil {
		w.UserID, w.Info = r.Member.ID, r.Member.Info
	}
	return w
}

// engine returns the report, and false when it is of a kind that this version does not
// know.
func (w report) engine(node string) (r broadcasting.PresenceReport, known bool) {
	r = broadcasting.PresenceReport{Node: node, Kind: w.Kind, App: w.App, Name: w.Name, Sockets: w.Sockets}
	switch w.Kind {
	case broadcasting.MemberAddedReport:
		r.Member = &broadcasting.Member{ID: w.UserID, Info: w.Info}
	case broadcasting.MemberRemovedReport:
		r.UserID = w.UserID
	case broadcasting.SubscribedReport, broadcasting.SignedInReport, broadcasting.NodeGoneReport:
	default:
		return r, false
	}
	return r, true
}

func engineReports(node string, list []report) (reports []broadcasting.PresenceReport) {
	for _, w := range list {
		if r, known := w.engine(node); known {
			reports = append(reports, r)
		}
	}
	return reports
}

// payloads encodes messages that are sent together, as the payloads of notifications:
//
//	<node> <n> <part> <parts> <JSON>
//
// Within one node n is different each time: PostgreSQL drops the second of two equal
// notifications of one transaction.
func payloads(node string, n uint64, list []message) ([]string, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		return nil, err
	}
	var parts []string
	for rest := strings.TrimSuffix(body.String(), "\n"); rest != ""; {
		end := min(payloadBytes, len(rest))
		for end < len(rest) && !utf8.RuneStart(rest[end]) { // half a character is not text
			end--
		}
		parts = append(parts, rest[:end])
		rest = rest[end:]
	}
	for i, part := range parts {
		parts[i] = fmt.Sprintf("%s %d %d %d %s", node, n, i+1, len(parts), part)
	}
	return parts, nil
}

// errPayload means that a notification is not one of ours.
var errPayload = errors.New("postgres: a notification that is not a message")

// assembler puts messages together again. The parts of one come one after the other,
// because they are of one transaction.
type assembler struct {
	node, n string
	next    int
	body    strings.Builder
}

// add takes a payload. It returns the messages when it was the last part.
func (a *assembler) add(payload string) (node string, list []message, err error) {
	head := strings.SplitN(payload, " ", 5)
	if len(head) != 5 {
		return "", nil, errPayload
	}
	part, err := strconv.Atoi(head[2])
	parts, errOf := strconv.Atoi(head[3])
	if err != nil || errOf != nil || part < 1 || part > parts {
		return "", nil, errPayload
	}
	if part == 1 {
		a.node, a.n, a.next = head[0], head[1], 1
		a.body.Reset()
	}
	if a.node != head[0] || a.n != head[1] || a.next != part {
		return "", nil, errPayload // the listening began between its parts
	}
	a.next++
	a.body.WriteString(head[4])
	if part < parts {
		return "", nil, nil
	}
	body := a.body.String()
	a.body.Reset()
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return "", nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	return head[0], list, nil
}
