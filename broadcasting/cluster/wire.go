package cluster

import (
	"encoding/json"

	"chatcast/broadcasting"
)

// Kind is the kind of a Message.
type Kind string

// Kinds of messages. A node ignores those that it does not know: it may be of an earlier
// version.
const (
	KindEvent  Kind = "event"  // Event, Version
	KindOrder  Kind = "order"  // Order, ID, Until, Number, Before
	KindCancel Kind = "cancel" // the sender no longer waits for the answer to its order ID
	KindAnswer Kind = "answer" // Answer to the order ID
	KindUnsure Kind = "unsure" // the sender does not know whether an order of its own has arrived
)

// Kinds of messages that the broadcasting.Peers of the nodes give each other.
const (
	KindHello  = Kind(broadcasting.PeerHello)
	KindState  = Kind(broadcasting.PeerState)
	KindReport = Kind(broadcasting.PeerReport)
	KindProbe  = Kind(broadcasting.PeerProbe) // with Number, the last order that the sender has heard
	KindAsk    = Kind(broadcasting.PeerAsk)
	KindBye    = Kind(broadcasting.PeerBye)
	KindDead   = Kind(broadcasting.PeerDead)

	// KindGap is never sent: a Transport puts it where it sees that something of the sender
	// was lost.
	KindGap = Kind(broadcasting.PeerGap)
)

// Message is what one node tells the others.
type Message struct {
	Kind    Kind                 `json:"k"`
	To      string               `json:"to,omitempty"` // the only node that it concerns; empty: all
	Node    string               `json:"node,omitempty"`
	Event   *Event               `json:"e,omitempty"`
	Version uint64               `json:"v,omitempty"`
	Reports []Report             `json:"r,omitempty"`
	Count   uint64               `json:"n,omitempty"` // how many reports the sender has made
	Part    int                  `json:"p,omitempty"` // of a state
	Done    bool                 `json:"done,omitempty"`
	ID      uint64               `json:"id,omitempty"`
	Order   *broadcasting.Order  `json:"o,omitempty"`
	Number  int64                `json:"no,omitempty"`    // of an order that takes access away
	Before  int64                `json:"bf,omitempty"`    // the one before it, or 0 where none can be lost on the way
	Until   int64                `json:"until,omitempty"` // when nobody waits for the answer any more, in microseconds of the clock of the leases
	Answer  *broadcasting.Answer `json:"a,omitempty"`
}

func wirePeer(p broadcasting.PeerMessage) Message {
	m := Message{Kind: Kind(p.Kind), To: p.To, Node: p.Node, Count: p.Number, Part: p.Part, Done: p.Done}
	for _, r := range p.Reports {
		m.Reports = append(m.Reports, wireReport(r))
	}
	return m
}

func wirePeers(list []broadcasting.PeerMessage) (messages []Message) {
	for _, p := range list {
		messages = append(messages, wirePeer(p))
	}
	return messages
}

// peer returns a message of a node as broadcasting.Peers take it.
func (m Message) peer(from string) broadcasting.PeerMessage {
	return broadcasting.PeerMessage{
		Kind: broadcasting.PeerKind(m.Kind), From: from, To: m.To, Node: m.Node, Number: m.Count, Part: m.Part,
		Reports: engineReports(from, m.Reports), Done: m.Done,
	}
}

// Event is broadcasting.Event on the wire. A journalled event does not travel here.
type Event struct {
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

func wireEvent(ev broadcasting.Event) *Event {
	return &Event{ev.App, ev.Channel, ev.Name, ev.Data, ev.Object, ev.Except, ev.UserID, ev.Seq, ev.Published}
}

// Engine returns the event as the engine has it.
func (e *Event) Engine() broadcasting.Event {
	return broadcasting.Event{
		App: e.App, Channel: e.Channel, Name: e.Name, Data: e.Data, Object: e.Object,
		Except: e.Except, UserID: e.UserID, Seq: e.Seq, Published: e.Published,
	}
}

// Report is broadcasting.PresenceReport on the wire.
type Report struct {
	Kind    broadcasting.PresenceKind `json:"k"`
	App     string                    `json:"a,omitempty"`
	Name    string                    `json:"n,omitempty"`
	Sockets int                       `json:"s,omitempty"`
	UserID  string                    `json:"u,omitempty"` // of a member too
	Info    json.RawMessage           `json:"i,omitempty"`
}

func wireReport(r broadcasting.PresenceReport) Report {
	w := Report{Kind: r.Kind, App: r.App, Name: r.Name, Sockets: r.Sockets, UserID: r.UserID}
	if r.Member != nil {
		w.UserID, w.Info = r.Member.ID, r.Member.Info
	}
	return w
}

// engine returns the report, and false when it is of a kind that this version does not
// know.
func (w Report) engine(node string) (r broadcasting.PresenceReport, known bool) {
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

func engineReports(node string, list []Report) (reports []broadcasting.PresenceReport) {
	for _, w := range list {
		if r, known := w.engine(node); known {
			reports = append(reports, r)
		}
	}
	return reports
}
